/*
 * iommufd's own calls make objects on the container's descriptor.
 *
 * calls of iommufd, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EINVAL. No type is set. Every command but GET_API_VERSION, CHECK_EXTENSION and SET_IOMMU
 *   is refused, even an unknown one. (vfio_fops_unl_ioctl() in drivers/vfio/container.c)
 * iommufd: 0. Allocates an empty IOAS; out_ioas_id returns its id. (iommufd_ioas_alloc_ioctl() in
 *   drivers/iommu/iommufd/ioas.c)
 */
#include "audit.h"

/* For headers older than the calls. */
#ifndef IOMMU_IOAS_ALLOC
#define IOMMU_IOAS_ALLOC _IO(';', 0x81)
struct iommu_ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_ioas_id;
};
#endif

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  ioas1 = IOMMU_IOAS_ALLOC(container1)", IN_EACH(-EINVAL, 0) },
};

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	struct iommu_ioas_alloc ioas_alloc_2 = {
		.size = sizeof(ioas_alloc_2),
	};
	record(ioctl(container1, IOMMU_IOAS_ALLOC, &ioas_alloc_2));
}

int main(void)
{
	out = stdout;
	setlinebuf(out);
	return run_both(make_calls, calls, COUNT(calls), ALL_RELEASES);
}
