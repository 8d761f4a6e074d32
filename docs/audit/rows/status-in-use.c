/*
 * GET_STATUS says that a group is viable of which the kernel itself uses a device.
 *
 * VFIO_GROUP_GET_STATUS, flags, in Linux 6.12.95 and 7.3.4:
 * type1: 0x0. flags returns CONTAINER_SET and VIABLE with a container; without one VIABLE, unless a
 *   device is bound or a kernel driver uses one. (vfio_group_ioctl_get_status() in
 *   drivers/vfio/group.c)
 * iommufd: 0x3. flags returns CONTAINER_SET and VIABLE with a container; without one VIABLE, unless a
 *   device is bound or a kernel driver uses one. (vfio_group_ioctl_get_status() in
 *   drivers/vfio/group.c)
 *
 * Arguments: a device of VFIO, in a group with another that a driver of the kernel uses (0000:01:01.0
 * if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/1\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(-EPERM, 0) },
	{ "4  VFIO_GROUP_GET_STATUS(group1, flags=VIABLE | CONTAINER_SET | 0xfffffffc, which is no flag)", IN_EACH(0, 0) },
	{ "   flags", IN_EACH(0x0UL, 0x3UL), .is_number = 1 },
};

static const char *device_1 = "0000:01:01.0";
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

	struct vfio_group_status group_get_status_4 = {
		.argsz = sizeof(group_get_status_4),
		.flags = 0xffffffff /* VIABLE | CONTAINER_SET | 0xfffffffc, which is no flag */,
	};
	record(ioctl(group1, VFIO_GROUP_GET_STATUS, &group_get_status_4));

	record_number(group_get_status_4.flags);
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
