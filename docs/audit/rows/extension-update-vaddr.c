/*
 * CHECK_EXTENSION(UPDATE_VADDR) answers 0: memory cannot be given another address.
 *
 * VFIO_CHECK_EXTENSION(UPDATE_VADDR), result, in Linux 6.12.95 and 7.3.4:
 * type1: 1. UPDATE_VADDR returns 1 if a type is set and the container has no mdev group, and 0
 *   otherwise. (vfio_iommu_type1_check_extension() in drivers/vfio/vfio_iommu_type1.c)
 * iommufd: 0. Every other number returns 0, including those of SPAPR, EEH, NESTING and UPDATE_VADDR.
 *   (iommufd_vfio_check_extension() in drivers/iommu/iommufd/vfio_compat.c)
 *
 * Arguments: a device of VFIO, each alone in its group (0000:00:01.0 if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/1\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ "4  VFIO_SET_IOMMU(container1, TYPE1v2)", IN_EACH(0, 0) },
	{ "5  VFIO_CHECK_EXTENSION(container1, UPDATE_VADDR)", IN_EACH(1, 0) },
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

	record(ioctl(container1, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));

	record(ioctl(container1, VFIO_CHECK_EXTENSION, VFIO_UPDATE_VADDR));
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
