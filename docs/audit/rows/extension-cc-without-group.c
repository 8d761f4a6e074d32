/*
 * CHECK_EXTENSION(DMA_CC_IOMMU) without a group fails with ENODEV instead of answering 0.
 *
 * VFIO_CHECK_EXTENSION(DMA_CC), result, in Linux 6.12.95 and 7.3.4:
 * type1: 0. DMA_CC returns 1 if a type is set and every domain enforces cache coherency, or there is
 *   none, and 0 otherwise. (vfio_domains_have_enforce_cache_coherency() in
 *   drivers/vfio/vfio_iommu_type1.c)
 * iommufd: -1 ENODEV. There is no compatibility IOAS: none was set or created, or it was cleared or
 *   destroyed. (get_compat_ioas() in drivers/iommu/iommufd/vfio_compat.c)
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  VFIO_CHECK_EXTENSION(container1, DMA_CC)", IN_EACH(0, -ENODEV) },
};

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	record(ioctl(container1, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU));
}

int main(void)
{
	out = stdout;
	setlinebuf(out);
	return run_both(make_calls, calls, COUNT(calls), ALL_RELEASES);
}
