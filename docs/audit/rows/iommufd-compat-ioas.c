/*
 * The container reports which IOAS its maps are in (IOMMU_VFIO_IOAS).
 *
 * calls of iommufd, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EINVAL. No type is set. Every command but GET_API_VERSION, CHECK_EXTENSION and SET_IOMMU
 *   is refused, even an unknown one. (vfio_fops_unl_ioctl() in drivers/vfio/container.c)
 * iommufd: -1 ENODEV. GET: there is no compatibility IOAS. (iommufd_vfio_ioas() in
 *   drivers/iommu/iommufd/vfio_compat.c)
 */
#include "audit.h"

/* For headers older than the calls. */
#ifndef IOMMU_VFIO_IOAS
#define IOMMU_VFIO_IOAS _IO(';', 0x88)
enum {
	IOMMU_VFIO_IOAS_GET = 0,
	IOMMU_VFIO_IOAS_SET = 1,
	IOMMU_VFIO_IOAS_CLEAR = 2,
};
struct iommu_vfio_ioas {
	__u32 size;
	__u32 ioas_id;
	__u16 op;
	__u16 __reserved;
};
#endif

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  IOMMU_VFIO_IOAS(container1)", IN_EACH(-EINVAL, -ENODEV) },
};

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	struct iommu_vfio_ioas vfio_ioas_2 = {
		.size = sizeof(vfio_ioas_2),
	};
	record(ioctl(container1, IOMMU_VFIO_IOAS, &vfio_ioas_2));
}

int main(void)
{
	out = stdout;
	setlinebuf(out);
	return run_both(make_calls, calls, COUNT(calls), ALL_RELEASES);
}
