/*
 * GET_DEVICE_FD fails with EPERM where interrupts are not isolated; type1 has no type by then and says
 * EINVAL.
 *
 * VFIO_GROUP_GET_DEVICE_FD, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EINVAL. Legacy container: no type is set. (vfio_group_use_container() in
 *   drivers/vfio/container.c)
 * iommufd: -1 EPERM. The IOMMU does not isolate interrupts, and iommufd.allow_unsafe_interrupts is
 *   off. The parameter of vfio_iommu_type1 does not count. (iommufd_device_bind() in
 *   drivers/iommu/iommufd/device.c)
 *
 * The kernel was started with intremap=off.
 * Arguments: a device of VFIO, each alone in its group (0000:00:01.0 if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/1\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ "4  devicefd1 = VFIO_GROUP_GET_DEVICE_FD(group1, bytes 30303030 3a30303a ... and 5 bytes more at structs)", IN_EACH(-EINVAL, -EPERM) },
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
