/*
 * GET_INFO on a container without a group fails with ENODEV instead of EINVAL.
 *
 * VFIO_IOMMU_GET_INFO, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EINVAL. No type is set. Every command but GET_API_VERSION, CHECK_EXTENSION and SET_IOMMU
 *   is refused, even an unknown one. (vfio_fops_unl_ioctl() in drivers/vfio/container.c)
 * iommufd: -1 ENODEV. There is no compatibility IOAS: none was set or created, or it was cleared or
 *   destroyed. (get_compat_ioas() in drivers/iommu/iommufd/vfio_compat.c)
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  VFIO_IOMMU_GET_INFO(container1, argsz=16, flags=0xfffffff0, which is no flag, cap_offset=0xbbbbbbbb, followed by aaaaaaaa aaaaaaaa ... and 96 bytes more)", IN_EACH(-EINVAL, -ENODEV) },
};

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	struct {
		struct vfio_iommu_type1_info it;
		__u8 behind[104];
	} get_info_2 = {
		.it = {
			.argsz = 0x10,
			.flags = 0xfffffff0,
			.cap_offset = 0xbbbbbbbb,
		},
	};
	memset(get_info_2.behind, 0xaa, sizeof(get_info_2.behind));
	record(ioctl(container1, VFIO_IOMMU_GET_INFO, &get_info_2));
}

int main(void)
{
	out = stdout;
	setlinebuf(out);
	return run_both(make_calls, calls, COUNT(calls), ALL_RELEASES);
}
