/*
 * DIRTY_PAGES(START) with a map that is too long to be tracked fails with ENOTTY instead of EINVAL.
 *
 * VFIO_IOMMU_DIRTY_PAGES, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EINVAL. START: a map has more than 2^31 - 1 pages. (vfio_dma_bitmap_alloc() in
 *   drivers/vfio/vfio_iommu_type1.c)
 * iommufd: -1 ENOTTY. The call is not one of the compatibility layer, such as DIRTY_PAGES, ENABLE,
 *   DISABLE and those of groups and devices. (iommufd_vfio_ioctl() in
 *   drivers/iommu/iommufd/vfio_compat.c)
 *
 * Arguments: a device of VFIO, each alone in its group (83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 if there
 * are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/0\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ "4  VFIO_SET_IOMMU(container1, TYPE1v2)", IN_EACH(0, 0) },
	{ "5  VFIO_IOMMU_MAP_DMA(container1, flags=READ | WRITE, vaddr=data, iova=0x100000, size=0x80000000000 (8 TiB))", IN_EACH(0, 0) },
	{ "6  VFIO_IOMMU_DIRTY_PAGES(container1, flags=START)", IN_EACH(-EINVAL, -ENOTTY) },
};

static const char *device_1 = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
static char group_1[512];

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");
	take_arena();
	if (map_at(STRUCTS, 0x2000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of structs");
	if (map_at(DATA, 0x40000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of data");
	if (map_at(SHARED, 0x10000, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of shared");
	if (map_at(READ_ONLY, 0x8000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of read-only");
	if (map_at(NO_ACCESS, 0x4000, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of no access");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	result = open_needed(group_1);
	int group1 = result < 0 ? 0 : result;

	int group_set_container_3 = container1;
	memcpy((void *)(STRUCTS), &group_set_container_3, 4);
	record(ioctl(group1, VFIO_GROUP_SET_CONTAINER, STRUCTS));

	record(ioctl(container1, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));

	struct vfio_iommu_type1_dma_map map_dma_5 = {
		.argsz = sizeof(map_dma_5),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = DATA,
		.iova = 0x100000,
		.size = 0x80000000000ULL,
	};
	memcpy((void *)(STRUCTS), &map_dma_5, 32);
	record(ioctl(container1, VFIO_IOMMU_MAP_DMA, STRUCTS));

	struct vfio_iommu_type1_dirty_bitmap dirty_pages_6 = {
		.argsz = sizeof(dirty_pages_6),
		.flags = 0x1 /* START */,
	};
	memcpy((void *)(STRUCTS), &dirty_pages_6, 8);
	record(ioctl(container1, VFIO_IOMMU_DIRTY_PAGES, STRUCTS));
}

int main(int argc, char **argv)
{
	out = stdout;
	setlinebuf(out);
	if (argc > 1)
		device_1 = argv[1];
	locate(device_1, group_1, sizeof(group_1));
	return run_both(make_calls, calls, COUNT(calls), ALL_RELEASES);
}
