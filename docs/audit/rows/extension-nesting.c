/*
 * CHECK_EXTENSION(TYPE1_NESTING_IOMMU) answers 0.
 *
 * VFIO_CHECK_EXTENSION(TYPE1_NESTING), result, in Linux 6.12.95:
 * type1: 1. TYPE1_NESTING returns 1, although no IOMMU driver of x86-64 supports nesting.
 *   (vfio_iommu_type1_check_extension() in drivers/vfio/vfio_iommu_type1.c)
 * iommufd: 0. Every other number returns 0, including those of SPAPR, EEH, NESTING and UPDATE_VADDR.
 *   (iommufd_vfio_check_extension() in drivers/iommu/iommufd/vfio_compat.c)
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  VFIO_CHECK_EXTENSION(container1, TYPE1_NESTING)", IN_EACH(1, 0) },
};

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	record(ioctl(container1, VFIO_CHECK_EXTENSION, 6UL));
}

int main(void)
{
	out = stdout;
	setlinebuf(out);
	return run_both(make_calls, calls, COUNT(calls), 1u << LINUX_6_12_95);
}
