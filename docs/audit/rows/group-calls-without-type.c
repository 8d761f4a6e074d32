/*
 * Calls of a group made on the container fail with ENOTTY also before SET_IOMMU.
 *
 * VFIO_GROUP_GET_STATUS, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EINVAL. No type is set. Every command but GET_API_VERSION, CHECK_EXTENSION and SET_IOMMU
 *   is refused, even an unknown one. (vfio_fops_unl_ioctl() in drivers/vfio/container.c)
 * iommufd: -1 ENOTTY. The call is not one of the compatibility layer, such as DIRTY_PAGES, ENABLE,
 *   DISABLE and those of groups and devices. (iommufd_vfio_ioctl() in
 *   drivers/iommu/iommufd/vfio_compat.c)
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  VFIO_GROUP_GET_STATUS(container1, structs)", IN_EACH(-EINVAL, -ENOTTY) },
};

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");
	take_arena();
	if (map_at(STRUCTS, 0x2000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of structs");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	record(ioctl(container1, VFIO_GROUP_GET_STATUS, STRUCTS));
}

int main(void)
{
	out = stdout;
	setlinebuf(out);
	return run_both(make_calls, calls, COUNT(calls), ALL_RELEASES);
}
