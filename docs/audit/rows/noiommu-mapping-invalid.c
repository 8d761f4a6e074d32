/*
 * Invalid MAP_DMA, UNMAP_DMA and GET_INFO for a no-IOMMU group fail with EINVAL or EFAULT instead of
 * ENOTTY.
 *
 * VFIO_IOMMU_GET_INFO, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 ENOTTY. The type is NOIOMMU, which has no calls: nothing can be mapped or unmapped.
 *   (vfio_noiommu_ioctl() in drivers/vfio/container.c)
 * iommufd: -1 EINVAL. argsz is less than 16. (iommufd_vfio_iommu_get_info() in
 *   drivers/iommu/iommufd/vfio_compat.c)
 *
 * Arguments: a device of VFIO, each alone in its group (0000:00:01.0 if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/noiommu-0\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ "4  VFIO_SET_IOMMU(container1, NOIOMMU)", IN_EACH(0, 0) },
	{ "5  VFIO_IOMMU_GET_INFO(container1, argsz=0, flags=0xfffffff0, which is no flag, cap_offset=0xbbbbbbbb, followed by aaaaaaaa aaaaaaaa ... and 96 bytes more)", IN_EACH(-ENOTTY, -EINVAL) },
};

static const char *device_1 = "0000:00:01.0";
static char group_1[512];

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	result = open_needed(group_1);
	int group1 = result < 0 ? 0 : result;

	int group_set_container_3 = container1;
	record(ioctl(group1, VFIO_GROUP_SET_CONTAINER, &group_set_container_3));

	record(ioctl(container1, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU));

	struct {
		struct vfio_iommu_type1_info it;
		__u8 behind[104];
	} get_info_5 = {
		.it = {
			.argsz = 0,
			.flags = 0xfffffff0,
			.cap_offset = 0xbbbbbbbb,
		},
	};
	memset(get_info_5.behind, 0xaa, sizeof(get_info_5.behind));
	record(ioctl(container1, VFIO_IOMMU_GET_INFO, &get_info_5));
}

int main(int argc, char **argv)
{
	out = stdout;
	setlinebuf(out);
	if (argc > 1)
		device_1 = argv[1];
	locate(device_1, group_1, sizeof(group_1));
	return run_both(make_calls, calls, COUNT(calls), ALL_RELEASES);
}
