/*
 * CHECK_EXTENSION(DMA_CC_IOMMU) with a no-IOMMU group fails with ENODEV instead of answering 0.
 *
 * VFIO_CHECK_EXTENSION(DMA_CC), result, in Linux 6.12.95 and 7.3.4:
 * type1: 0. In a container of no-IOMMU groups NOIOMMU returns 1 while enable_unsafe_noiommu_mode is
 *   on, and every other number 0. (vfio_noiommu_ioctl() in drivers/vfio/container.c)
 * iommufd: -1 ENODEV. There is no compatibility IOAS: none was set or created, or it was cleared or
 *   destroyed. (get_compat_ioas() in drivers/iommu/iommufd/vfio_compat.c)
 *
 * Arguments: a device of VFIO, each alone in its group (0000:00:01.0 if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/noiommu-0\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ "4  VFIO_CHECK_EXTENSION(container1, DMA_CC)", IN_EACH(0, -ENODEV) },
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

	record(ioctl(container1, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU));
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
