/*
 * SET_IOMMU on a container without a group fails with ENODEV instead of EINVAL.
 *
 * VFIO_SET_IOMMU(TYPE1), result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EINVAL. The container has no group. (vfio_ioctl_set_iommu() in drivers/vfio/container.c)
 * iommufd: -1 ENODEV. There is no compatibility IOAS: none was set or created, or it was cleared or
 *   destroyed. (get_compat_ioas() in drivers/iommu/iommufd/vfio_compat.c)
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  VFIO_SET_IOMMU(container1, TYPE1)", IN_EACH(-EINVAL, -ENODEV) },
};

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	record(ioctl(container1, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
}

int main(void)
{
	out = stdout;
	setlinebuf(out);
	return run_both(make_calls, calls, COUNT(calls), ALL_RELEASES);
}
