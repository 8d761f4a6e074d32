/*
 * CHECK_EXTENSION(NOIOMMU_IOMMU) answers 1 for every container.
 *
 * VFIO_CHECK_EXTENSION(NOIOMMU), result, in Linux 6.12.95 and 7.3.4:
 * type1: 0. NOIOMMU returns 1 if the container has no group and enable_unsafe_noiommu_mode is on, and
 *   0 otherwise. (vfio_noiommu_ioctl() in drivers/vfio/container.c)
 * iommufd: 1. NOIOMMU returns 1 if the kernel is built with no-IOMMU support, and 0 if not.
 *   (iommufd_vfio_check_extension() in drivers/iommu/iommufd/vfio_compat.c)
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  VFIO_CHECK_EXTENSION(container1, NOIOMMU)", IN_EACH(0, 1) },
};

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	record(ioctl(container1, VFIO_CHECK_EXTENSION, VFIO_NOIOMMU_IOMMU));
}

int main(void)
{
	out = stdout;
	setlinebuf(out);
	return run_both(make_calls, calls, COUNT(calls), ALL_RELEASES);
}
