/*
 * MAP_DMA for writing of a BAR that is only readable succeeds while no device is open.
 *
 * VFIO_IOMMU_MAP_DMA, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EFAULT. WRITE is set, and the process may not write a BAR that is mapped in the range.
 *   (follow_fault_pfn() in drivers/vfio/vfio_iommu_type1.c)
 * iommufd: 0. Maps the memory at iova in every domain of the compatibility IOAS. Without a domain READ
 *   and WRITE may both be clear. (iommufd_vfio_map_dma() in drivers/iommu/iommufd/vfio_compat.c)
 *
 * Arguments: a device of VFIO, each alone in its group (0000:00:02.0 if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/2\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ "4  VFIO_SET_IOMMU(container1, TYPE1v2)", IN_EACH(0, 0) },
	{ "5  mmap(data+0x7000, 0x3000 (12 KiB), read, shared, device)", IN_EACH(0, 0) },
	{ "6  VFIO_IOMMU_MAP_DMA(container1, flags=READ | WRITE, vaddr=data+0x5000, iova=0x1000000, size=0x7000 (28 KiB))", IN_EACH(-EFAULT, 0) },
};

static const char *device_1 = "0000:00:02.0";
static char group_1[512];
static const char *bar_file;

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	int device_memory = open(bar_file, O_RDWR | O_CLOEXEC);
	if (device_memory < 0)
		lacks(bar_file);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");
	take_arena();
	if (map_at(DATA, 0x40000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of data");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	result = open_needed(group_1);
	int group1 = result < 0 ? 0 : result;

	int group_set_container_3 = container1;
	record(ioctl(group1, VFIO_GROUP_SET_CONTAINER, &group_set_container_3));

	record(ioctl(container1, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));

	record(map_at(DATA + 0x7000, 0x3000, PROT_READ, MAP_SHARED, device_memory, 0));

	struct vfio_iommu_type1_dma_map map_dma_6 = {
		.argsz = sizeof(map_dma_6),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = DATA + 0x5000,
		.iova = 0x1000000,
		.size = 0x7000,
	};
	record(ioctl(container1, VFIO_IOMMU_MAP_DMA, &map_dma_6));
}

int main(int argc, char **argv)
{
	out = stdout;
	setlinebuf(out);
	if (argc > 1)
		device_1 = argv[1];
	locate(device_1, group_1, sizeof(group_1));
	if (argc < 3)
		lacks("memory of a device: name a resource file below /sys/bus/pci/devices as argument 2");
	bar_file = argv[2];
	return run_both(make_calls, calls, COUNT(calls), ALL_RELEASES);
}
