/*
 * UNMAP_DMA into a struct that cannot be written unmaps all the same, also where type1 refuses.
 *
 * VFIO_IOMMU_UNMAP_DMA, what devices reach: less under iommufd, in Linux 6.12.95 and 7.3.4:
 * type1: [0x100000, 0x103fff] rw. size is 0 or not a multiple of the page size. (vfio_dma_do_unmap()
 *   in drivers/vfio/vfio_iommu_type1.c)
 * iommufd: nothing. The struct cannot be written back; the areas stay unmapped.
 *   (iommufd_vfio_unmap_dma() in drivers/iommu/iommufd/vfio_compat.c)
 *
 * Arguments: a device of VFIO, each alone in its group (0000:00:01.0 if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ " 1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ " 2  group1 = open(\"/dev/vfio/1\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ " 3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ " 4  VFIO_SET_IOMMU(container1, TYPE1v2)", IN_EACH(0, 0) },
	{ " 5  devicefd1 = VFIO_GROUP_GET_DEVICE_FD(group1, bytes 30303030 3a30303a ... and 5 bytes more at structs)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ " 6  VFIO_IOMMU_MAP_DMA(container1, flags=READ | WRITE, vaddr=data, iova=0x100000, size=0x4000 (16 KiB))", IN_EACH(0, 0) },
	{ " 7  VFIO_IOMMU_UNMAP_DMA(container1, iova=0x100000, size=0xffffffffffefffff (18,446,744,073,708,503,039 bytes), at read-only-structs)", IN_EACH(-EINVAL, -EFAULT) },
	{ " 8  dma read(devicefd1, 0x7fff000, 8 bytes)", IN_EACH(0, 0) },
	{ " 9  store(data, ffffffff ffffffff)", IN_EACH(8, 8) },
	{ "10  dma write(devicefd1, 0x100000, 8 bytes, reading data)", IN_EACH(0, 0) },
	{ "   the memory: the device writes zeros", IN_EACH(0x0UL, 0xffffffffffffffffUL), .is_number = 1 },
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
	if (map_at(READ_ONLY_STRUCTS, 0x1000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of read-only structs");
	if (map_at(DATA, 0x40000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of data");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	result = open_needed(group_1);
	int group1 = result < 0 ? 0 : result;

	int group_set_container_3 = container1;
	record(ioctl(group1, VFIO_GROUP_SET_CONTAINER, &group_set_container_3));

	record(ioctl(container1, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));

	result = record(ioctl(group1, VFIO_GROUP_GET_DEVICE_FD, device_1));
	int devicefd1 = result < 0 ? 0 : result;
	if (result == -ENODEV)
		lacks("a device of that name in the group");

	struct vfio_iommu_type1_dma_map map_dma_6 = {
		.argsz = sizeof(map_dma_6),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = DATA,
		.iova = 0x100000,
		.size = 0x4000,
	};
	record(ioctl(container1, VFIO_IOMMU_MAP_DMA, &map_dma_6));

	struct vfio_iommu_type1_dma_unmap unmap_dma_7 = {
		.argsz = sizeof(unmap_dma_7),
		.iova = 0x100000,
		.size = 0xffffffffffefffffULL,
	};
	put_read_only(READ_ONLY_STRUCTS, &unmap_dma_7, 24);
	record(ioctl(container1, VFIO_IOMMU_UNMAP_DMA, READ_ONLY_STRUCTS));

	record(device_moves(devicefd1, 0, 0x7fff000, 8));

	static const __u8 bytes_9[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	memcpy((void *)(DATA), bytes_9, 8);
	record(8);

	record(device_moves(devicefd1, 1, 0x100000, 8));

	record_number(*(__u64 *)(ARENA + 0x10000));
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
