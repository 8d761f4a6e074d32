/*
 * MAP_DMA of a device's BAR is refused with EFAULT: no peer-to-peer.
 *
 * VFIO_IOMMU_MAP_DMA, result, in Linux 6.12.95 and 7.3.4:
 * type1: 0. Maps the range to the pages at vaddr, in every domain. Without a domain nothing is pinned,
 *   and vaddr need not be mapped. (vfio_dma_do_map() in drivers/vfio/vfio_iommu_type1.c)
 * iommufd: -1 EFAULT. A page of the range cannot be pinned, such as a page of a BAR.
 *   (check_vma_flags() in mm/gup.c)
 *
 * Arguments: a device of VFIO, each alone in its group (0000:00:01.0 if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  mmap(data+0x20000, 0x4000 (16 KiB), read-write, shared, device)", IN_EACH(0, 0) },
	{ "2  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  group1 = open(\"/dev/vfio/1\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "4  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ "5  VFIO_SET_IOMMU(container1, TYPE1v2)", IN_EACH(0, 0) },
	{ "6  devicefd1 = VFIO_GROUP_GET_DEVICE_FD(group1, bytes 30303030 3a30303a ... and 5 bytes more at structs)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "7  VFIO_IOMMU_MAP_DMA(container1, flags=READ | WRITE, vaddr=data+0x20000, iova=0x400000, size=0x1000 (4 KiB))", IN_EACH(0, -EFAULT) },
};

static const char *device_1 = "0000:00:01.0";
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

	record(map_at(DATA + 0x20000, 0x4000, PROT_READ | PROT_WRITE, MAP_SHARED, device_memory, 0));

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	result = open_needed(group_1);
	int group1 = result < 0 ? 0 : result;

	int group_set_container_4 = container1;
	record(ioctl(group1, VFIO_GROUP_SET_CONTAINER, &group_set_container_4));

	record(ioctl(container1, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));

	record(ioctl(group1, VFIO_GROUP_GET_DEVICE_FD, device_1));

	struct vfio_iommu_type1_dma_map map_dma_7 = {
		.argsz = sizeof(map_dma_7),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = DATA + 0x20000,
		.iova = 0x400000,
		.size = 0x1000,
	};
	record(ioctl(container1, VFIO_IOMMU_MAP_DMA, &map_dma_7));
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
