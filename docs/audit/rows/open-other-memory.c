/*
 * Devices reach what is at the address when the first one is opened, not what was there at MAP_DMA.
 *
 * VFIO_GROUP_GET_DEVICE_FD, which memory devices reach, in Linux 6.12.95 and 7.3.4:
 * type1: [0x100000, 0x103fff] rw. Legacy container: opens the device, which keeps its group open.
 *   Returns a descriptor. (vfio_group_use_container() in drivers/vfio/container.c)
 * iommufd: [0x100000, 0x103fff] rw. iommufd: binds the device and attaches it to the compatibility
 *   IOAS. Returns a descriptor. (vfio_df_group_open() in drivers/vfio/group.c)
 *
 * Arguments: a device of VFIO, each alone in its group (0000:00:01.0 if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ " 1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ " 2  group1 = open(\"/dev/vfio/1\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ " 3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ " 4  VFIO_SET_IOMMU(container1, TYPE1v2)", IN_EACH(0, 0) },
	{ " 5  VFIO_IOMMU_MAP_DMA(container1, flags=READ | WRITE, vaddr=data, iova=0x100000, size=0x4000 (16 KiB))", IN_EACH(0, 0) },
	{ " 6  mmap(data, 0x4000 (16 KiB), read-write, private, anonymous)", IN_EACH(0, 0) },
	{ " 7  devicefd1 = VFIO_GROUP_GET_DEVICE_FD(group1, bytes 30303030 3a30303a ... and 5 bytes more at structs)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ " 8  dma read(devicefd1, 0x7fff000, 8 bytes)", IN_EACH(0, 0) },
	{ " 9  store(data, ffffffff ffffffff)", IN_EACH(8, 8) },
	{ "10  dma write(devicefd1, 0x100000, 8 bytes, reading data)", IN_EACH(0, 0) },
	{ "   the memory: the device writes zeros", IN_EACH(0xffffffffffffffffUL, 0x0UL), .is_number = 1 },
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
	if (map_at(DATA, 0x40000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of data");

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
		.vaddr = DATA,
		.iova = 0x100000,
		.size = 0x4000,
	};
	record(ioctl(container1, VFIO_IOMMU_MAP_DMA, &map_dma_5));

	record(map_at(DATA, 0x4000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	result = record(ioctl(group1, VFIO_GROUP_GET_DEVICE_FD, device_1));
	int devicefd1 = result < 0 ? 0 : result;
	if (result == -ENODEV)
		lacks("a device of that name in the group");

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
