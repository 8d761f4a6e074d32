/*
 * GET_STATUS says that a group has no container when it left while its device is open.
 *
 * VFIO_GROUP_GET_STATUS, flags, in Linux 6.12.95 and 7.3.4:
 * type1: 0x3. flags returns CONTAINER_SET and VIABLE with a container; without one VIABLE, unless a
 *   device is bound or a kernel driver uses one. (vfio_group_ioctl_get_status() in
 *   drivers/vfio/group.c)
 * iommufd: 0x0. flags returns CONTAINER_SET and VIABLE with a container; without one VIABLE, unless a
 *   device is bound or a kernel driver uses one. (vfio_group_ioctl_get_status() in
 *   drivers/vfio/group.c)
 *
 * Arguments: a device of VFIO, each alone in its group (0000:00:01.0 if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/1\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ "4  VFIO_SET_IOMMU(container1, TYPE1v2)", IN_EACH(0, 0) },
	{ "5  devicefd1 = VFIO_GROUP_GET_DEVICE_FD(group1, bytes 30303030 3a30303a ... and 5 bytes more at structs)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "6  VFIO_GROUP_UNSET_CONTAINER(group1, 0x0)", IN_EACH(-EBUSY, 0) },
	{ "7  VFIO_GROUP_GET_STATUS(group1, flags=VIABLE | CONTAINER_SET | 0xfffffffc, which is no flag)", IN_EACH(0, 0) },
	{ "   flags", IN_EACH(0x3UL, 0x0UL), .is_number = 1 },
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

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	result = open_needed(group_1);
	int group1 = result < 0 ? 0 : result;

	int group_set_container_3 = container1;
	record(ioctl(group1, VFIO_GROUP_SET_CONTAINER, &group_set_container_3));

	record(ioctl(container1, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));

	record(ioctl(group1, VFIO_GROUP_GET_DEVICE_FD, device_1));

	record(ioctl(group1, VFIO_GROUP_UNSET_CONTAINER, 0UL));

	struct vfio_group_status group_get_status_7 = {
		.argsz = sizeof(group_get_status_7),
		.flags = 0xffffffff /* VIABLE | CONTAINER_SET | 0xfffffffc, which is no flag */,
	};
	record(ioctl(group1, VFIO_GROUP_GET_STATUS, &group_get_status_7));

	record_number(group_get_status_7.flags);
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
