/*
 * Numbers among those of iommufd that are no call fail with EFAULT where the argument is no address.
 *
 * other numbers, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EINVAL. No type is set. Every command but GET_API_VERSION, CHECK_EXTENSION and SET_IOMMU
 *   is refused, even an unknown one. (vfio_fops_unl_ioctl() in drivers/vfio/container.c)
 * iommufd: -1 EFAULT. size, the first 4 bytes of the struct, cannot be read. (iommufd_fops_ioctl() in
 *   drivers/iommu/iommufd/main.c)
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  ioctl 0x3b96(container1, 0x0)", IN_EACH(-EINVAL, -EFAULT) },
};

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	record(ioctl(container1, 0x3b96, 0UL));
}

int main(void)
{
	out = stdout;
	setlinebuf(out);
	return run_both(make_calls, calls, COUNT(calls), ALL_RELEASES);
}
