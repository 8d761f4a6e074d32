/*
 * iommufd's own calls on the container's descriptor fail with errors of their own.
 *
 * calls of iommufd, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EINVAL. No type is set. Every command but GET_API_VERSION, CHECK_EXTENSION and SET_IOMMU
 *   is refused, even an unknown one. (vfio_fops_unl_ioctl() in drivers/vfio/container.c)
 * iommufd: -1 ENOENT. No object has the id. (iommufd_object_remove() in drivers/iommu/iommufd/main.c)
 */
#include "audit.h"

/* For headers older than the calls. */
#ifndef IOMMU_DESTROY
#define IOMMU_DESTROY _IO(';', 0x80)
struct iommu_destroy {
	__u32 size;
	__u32 id;
};
#endif

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  IOMMU_DESTROY(container1)", IN_EACH(-EINVAL, -ENOENT) },
};

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	struct iommu_destroy destroy_2 = {
		.size = sizeof(destroy_2),
	};
	record(ioctl(container1, IOMMU_DESTROY, &destroy_2));
}

int main(void)
{
	out = stdout;
	setlinebuf(out);
	return run_both(make_calls, calls, COUNT(calls), ALL_RELEASES);
}
