/*
 * GET_DEVICE_FD fails with ENOMEM when what is mapped may not be locked.
 *
 * VFIO_GROUP_GET_DEVICE_FD, result, in Linux 6.12.95 and 7.3.4:
 * type1: a descriptor. Legacy container: opens the device, which keeps its group open. Returns a
 *   descriptor. (vfio_group_use_container() in drivers/vfio/container.c)
 * iommufd: -1 ENOMEM. The pages charged to the user would exceed RLIMIT_MEMLOCK. Nothing stays pinned.
 *   (incr_user_locked_vm() in drivers/iommu/iommufd/pages.c)
 *
 * Arguments: a device of VFIO, each alone in its group (0000:00:01.0 if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/1\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ "4  VFIO_SET_IOMMU(container1, TYPE1v2)", IN_EACH(0, 0) },
	{ "5  VFIO_IOMMU_MAP_DMA(container1, flags=READ | WRITE, vaddr=data, iova=0x100000, size=0x8000 (32 KiB))", IN_EACH(-ENOMEM, 0) },
	{ "6  devicefd1 = VFIO_GROUP_GET_DEVICE_FD(group1, bytes 30303030 3a30303a ... and 5 bytes more at structs)", IN_EACH(A_DESCRIPTOR, -ENOMEM) },
};

static const char *device_1 = "0000:00:01.0";
static char group_1[512];

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	drop_privileges(0x6000);
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
		.size = 0x8000,
	};
	record(ioctl(container1, VFIO_IOMMU_MAP_DMA, &map_dma_5));

	record(ioctl(group1, VFIO_GROUP_GET_DEVICE_FD, device_1));
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
