/*
 * GET_INFO succeeds where memory ends behind the capabilities of iommufd and before those of type1.
 *
 * VFIO_IOMMU_GET_INFO, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EFAULT. argsz has room for the capabilities, and they cannot be written whole; the struct
 *   is not written. (vfio_iommu_type1_get_info() in drivers/vfio/vfio_iommu_type1.c)
 * iommufd: 0. iova_pgsizes returns the page sizes that all domains share, argsz the room needed, and
 *   cap_offset 24 if there was room, 0 otherwise. (iommufd_vfio_iommu_get_info() in
 *   drivers/iommu/iommufd/vfio_compat.c)
 *
 * Arguments: a device of VFIO, each alone in its group (0000:00:01.0 if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/1\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ "4  VFIO_SET_IOMMU(container1, TYPE1v2)", IN_EACH(0, 0) },
	{ "5  VFIO_IOMMU_GET_INFO(container1, argsz=128, flags=0xfffffff0, which is no flag, cap_offset=0xbbbbbbbb, at structs+0x1fb8, followed by aaaaaaaa aaaaaaaa ... and 96 bytes more)", IN_EACH(-EFAULT, 0) },
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

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	result = open_needed(group_1);
	int group1 = result < 0 ? 0 : result;

	int group_set_container_3 = container1;
	memcpy((void *)(STRUCTS), &group_set_container_3, 4);
	record(ioctl(group1, VFIO_GROUP_SET_CONTAINER, STRUCTS));

	record(ioctl(container1, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));

	struct vfio_iommu_type1_info get_info_5 = {
		.argsz = 0x80,
		.flags = 0xfffffff0,
		.cap_offset = 0xbbbbbbbb,
	};
	/* 72 of 128 bytes: there is no memory for the others */
	memcpy((void *)(STRUCTS + 0x1fb8), &get_info_5, 24);
	static const __u8 behind_5[] = {
			0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
			0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
			0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
			0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
		};
	memcpy((void *)(STRUCTS + 0x1fb8 + 24), behind_5, 48);
	record(ioctl(container1, VFIO_IOMMU_GET_INFO, STRUCTS + 0x1fb8));
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
