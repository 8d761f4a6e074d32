/*
 * A no-IOMMU group beside others is refused with EINVAL instead of EPERM.
 *
 * VFIO_GROUP_SET_CONTAINER, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EPERM. Legacy container: the group is a no-IOMMU group and those in it are not, or the
 *   reverse. An mdev group is not one. (vfio_container_attach_group() in drivers/vfio/container.c)
 * iommufd: -1 EINVAL. iommufd: it has been the container of a no-IOMMU group, and this group is not
 *   one. VFIO_IOAS does not change that. (iommufd_vfio_compat_ioas_create() in
 *   drivers/iommu/iommufd/vfio_compat.c)
 *
 * Arguments: 2 devices of VFIO, each alone in its group (0000:00:01.0,
 * 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/noiommu-0\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ "4  group2 = open(\"/dev/vfio/3\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "5  VFIO_GROUP_SET_CONTAINER(group2, fd=container1)", IN_EACH(-EPERM, -EINVAL) },
};

static const char *device_1 = "0000:00:01.0";
static char group_1[512];
static const char *device_2 = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
static char group_2[512];

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

	result = open_needed(group_2);
	int group2 = result < 0 ? 0 : result;

	int group_set_container_5 = container1;
	record(ioctl(group2, VFIO_GROUP_SET_CONTAINER, &group_set_container_5));
}

int main(int argc, char **argv)
{
	out = stdout;
	setlinebuf(out);
	if (argc > 1)
		device_1 = argv[1];
	locate(device_1, group_1, sizeof(group_1));
	if (argc > 2)
		device_2 = argv[2];
	locate(device_2, group_2, sizeof(group_2));
	return run_both(make_calls, calls, COUNT(calls), ALL_RELEASES);
}
