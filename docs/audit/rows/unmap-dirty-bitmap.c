/*
 * UNMAP_DMA with GET_DIRTY_BITMAP is refused with EINVAL.
 *
 * VFIO_IOMMU_UNMAP_DMA, result, in Linux 6.12.95 and 7.3.4:
 * type1: 0. v2: unmaps every map in the range, possibly none; size returns the bytes unmapped.
 *   (vfio_dma_do_unmap() in drivers/vfio/vfio_iommu_type1.c)
 * iommufd: -1 EINVAL. A flag other than ALL is set, such as GET_DIRTY_BITMAP or VADDR.
 *   (iommufd_vfio_unmap_dma() in drivers/iommu/iommufd/vfio_compat.c)
 *
 * Arguments: a device of VFIO, each alone in its group (0000:00:01.0 if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/1\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ "4  VFIO_SET_IOMMU(container1, TYPE1v2)", IN_EACH(0, 0) },
	{ "5  VFIO_IOMMU_DIRTY_PAGES(container1, flags=START)", IN_EACH(0, -ENOTTY) },
	{ "6  VFIO_IOMMU_UNMAP_DMA(container1, argsz=4294967295, flags=GET_DIRTY_BITMAP, iova=0x100000, size=0x4000 (16 KiB), with [0x1000, 0x8, arrays] at structs+0x18)", IN_EACH(0, -EINVAL) },
};

static const char *device_1 = "0000:00:01.0";
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
	if (map_at(ARRAYS, 0x4000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of arrays");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	result = open_needed(group_1);
	int group1 = result < 0 ? 0 : result;

	int group_set_container_3 = container1;
	memcpy((void *)(STRUCTS), &group_set_container_3, 4);
	record(ioctl(group1, VFIO_GROUP_SET_CONTAINER, STRUCTS));

	record(ioctl(container1, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));

	struct vfio_iommu_type1_dirty_bitmap dirty_pages_5 = {
		.argsz = sizeof(dirty_pages_5),
		.flags = 0x1 /* START */,
	};
	memcpy((void *)(STRUCTS), &dirty_pages_5, 8);
	record(ioctl(container1, VFIO_IOMMU_DIRTY_PAGES, STRUCTS));

	struct vfio_iommu_type1_dma_unmap unmap_dma_6 = {
		.argsz = 0xffffffff,
		.flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
		.iova = 0x100000,
		.size = 0x4000,
	};
	memcpy((void *)(STRUCTS), &unmap_dma_6, 24);
	__u64 words_6[] = { 0x1000, 8, ARRAYS };
	memcpy((void *)(STRUCTS + 0x18), words_6, 24);
	record(ioctl(container1, VFIO_IOMMU_UNMAP_DMA, STRUCTS));
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
