/*
 * UNMAP_DMA of a range that ends with the last byte of the address space unmaps it; type1 of 6.12
 * finds nothing there.
 *
 * VFIO_IOMMU_UNMAP_DMA, result, in Linux 6.12.95:
 * type1: 0. The range ends at U64_MAX: iova + size wraps to 0, so vfio_find_dma_first_node() finds no
 *   map. size returns 0. (vfio_find_dma_first_node() in drivers/vfio/vfio_iommu_type1.c)
 * iommufd: -1 EINVAL. A flag other than ALL is set, such as GET_DIRTY_BITMAP or VADDR.
 *   (iommufd_vfio_unmap_dma() in drivers/iommu/iommufd/vfio_compat.c)
 *
 * Arguments: a device of VFIO, each alone in its group (0000:00:02.0 if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/2\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ "4  VFIO_SET_IOMMU(container1, TYPE1v2)", IN_EACH(0, 0) },
	{ "5  VFIO_IOMMU_UNMAP_DMA(container1, flags=VADDR, iova=0xfffffffffffff000, size=0x1000 (4 KiB))", IN_EACH(0, -EINVAL) },
};

static const char *device_1 = "0000:00:02.0";
static char group_1[512];

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	result = open_needed(group_1);
	int group1 = result < 0 ? 0 : result;

	int group_set_container_3 = container1;
	record(ioctl(group1, VFIO_GROUP_SET_CONTAINER, &group_set_container_3));

	record(ioctl(container1, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));

	struct vfio_iommu_type1_dma_unmap unmap_dma_5 = {
		.argsz = sizeof(unmap_dma_5),
		.flags = VFIO_DMA_UNMAP_FLAG_VADDR,
		.iova = 0xfffffffffffff000ULL,
		.size = 0x1000,
	};
	record(ioctl(container1, VFIO_IOMMU_UNMAP_DMA, &unmap_dma_5));
}

int main(int argc, char **argv)
{
	out = stdout;
	setlinebuf(out);
	if (argc > 1)
		device_1 = argv[1];
	locate(device_1, group_1, sizeof(group_1));
	require_parameter("/sys/module/vfio_iommu_type1/parameters/dma_entry_limit", 1);
	return run_both(make_calls, calls, COUNT(calls), 1u << LINUX_6_12_95);
}
