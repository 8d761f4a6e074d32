/*
 * SET_IOMMU(TYPE1_NESTING_IOMMU), which type1 itself has no more, fails with EINVAL instead of ENODEV.
 *
 * VFIO_SET_IOMMU(TYPE1_NESTING), result, in Linux 7.3.4:
 * type1: -1 ENODEV. CHECK_EXTENSION returns 0 for the type. Without no-IOMMU groups that includes
 *   NOIOMMU. (vfio_ioctl_set_iommu() in drivers/vfio/container.c)
 * iommufd: -1 EINVAL. The type is neither TYPE1 nor TYPE1v2, or the iommufd has been the container of
 *   a no-IOMMU group. (iommufd_vfio_set_iommu() in drivers/iommu/iommufd/vfio_compat.c)
 *
 * Arguments: a device of VFIO, each alone in its group (0000:00:01.0 if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/1\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ "4  VFIO_SET_IOMMU(container1, TYPE1_NESTING)", IN_EACH(-ENODEV, -EINVAL) },
};

static const char *device_1 = "0000:00:01.0";
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

	record(ioctl(container1, VFIO_SET_IOMMU, 6UL));
}

int main(int argc, char **argv)
{
	out = stdout;
	setlinebuf(out);
	if (argc > 1)
		device_1 = argv[1];
	locate(device_1, group_1, sizeof(group_1));
	return run_both(make_calls, calls, COUNT(calls), 1u << LINUX_7_3_4);
}
