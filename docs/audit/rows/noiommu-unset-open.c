/*
 * UNSET_CONTAINER succeeds while a device without an IOMMU is open.
 *
 * VFIO_GROUP_UNSET_CONTAINER, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EBUSY. Legacy container: a device of the group is open.
 *   (vfio_group_ioctl_unset_container() in drivers/vfio/group.c)
 * iommufd: 0. iommufd: the no-IOMMU group leaves it. Devices stay open, and the iommufd still takes no
 *   other groups. (vfio_group_ioctl_unset_container() in drivers/vfio/group.c)
 *
 * Arguments: a device of VFIO, each alone in its group (0000:00:01.0 if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/noiommu-0\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ "4  VFIO_SET_IOMMU(container1, NOIOMMU)", IN_EACH(0, 0) },
	{ "5  devicefd1 = VFIO_GROUP_GET_DEVICE_FD(group1, bytes 30303030 3a30303a ... and 5 bytes more at structs)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "6  VFIO_GROUP_UNSET_CONTAINER(group1, 0x0)", IN_EACH(-EBUSY, 0) },
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

	record(ioctl(container1, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU));

	record(ioctl(group1, VFIO_GROUP_GET_DEVICE_FD, device_1));

	record(ioctl(group1, VFIO_GROUP_UNSET_CONTAINER, 0UL));
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
