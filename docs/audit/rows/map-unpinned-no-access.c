/*
 * MAP_DMA of memory without access (PROT_NONE) succeeds while no device is open.
 *
 * VFIO_IOMMU_MAP_DMA, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EFAULT. The process may not read a page of the range. (vaddr_get_pfns() in
 *   drivers/vfio/vfio_iommu_type1.c)
 * iommufd: 0. Maps the memory at iova in every domain of the compatibility IOAS. Without a domain READ
 *   and WRITE may both be clear. (iommufd_vfio_map_dma() in drivers/iommu/iommufd/vfio_compat.c)
 *
 * Arguments: a device of VFIO, each alone in its group (0000:00:01.0 if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/1\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ "4  VFIO_SET_IOMMU(container1, TYPE1v2)", IN_EACH(0, 0) },
	{ "5  VFIO_IOMMU_MAP_DMA(container1, flags=READ | WRITE, vaddr=no-access, iova=0x400000, size=0x1000 (4 KiB))", IN_EACH(-EFAULT, 0) },
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
	if (map_at(NO_ACCESS, 0x4000, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of no access");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	result = open_needed(group_1);
	int group1 = result < 0 ? 0 : result;

	int group_set_container_3 = container1;
	record(ioctl(group1, VFIO_GROUP_SET_CONTAINER, &group_set_container_3));

	record(ioctl(container1, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));

	struct vfio_iommu_type1_dma_map map_dma_5 = {
		.argsz = sizeof(map_dma_5),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = NO_ACCESS,
		.iova = 0x400000,
		.size = 0x1000,
	};
	record(ioctl(container1, VFIO_IOMMU_MAP_DMA, &map_dma_5));
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
