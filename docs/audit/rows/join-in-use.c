/*
 * SET_CONTAINER takes a group of which the kernel itself uses a device.
 *
 * VFIO_GROUP_SET_CONTAINER, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EPERM. Legacy container: a kernel driver uses a device of the group.
 *   (iommu_group_claim_dma_owner() in drivers/iommu/iommu.c)
 * iommufd: 0. iommufd: becomes the container, and gets a compatibility IOAS as it had none.
 *   (iommufd_vfio_compat_ioas_create() in drivers/iommu/iommufd/vfio_compat.c)
 *
 * Arguments: a device of VFIO, in a group with another that a driver of the kernel uses (0000:01:01.0
 * if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/1\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(-EPERM, 0) },
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
