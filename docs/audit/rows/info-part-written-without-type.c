/*
 * Before SET_IOMMU a GET_INFO into memory that ends too soon writes a part and fails with EFAULT.
 *
 * VFIO_IOMMU_GET_INFO, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EINVAL. No type is set. Every command but GET_API_VERSION, CHECK_EXTENSION and SET_IOMMU
 *   is refused, even an unknown one. (vfio_fops_unl_ioctl() in drivers/vfio/container.c)
 * iommufd: -1 EFAULT. The struct cannot be written back; the capabilities are written.
 *   (iommufd_vfio_iommu_get_info() in drivers/iommu/iommufd/vfio_compat.c)
 *
 * Arguments: a device of VFIO, each alone in its group (0000:00:01.0 if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/1\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ "4  VFIO_IOMMU_GET_INFO(container1, argsz=16, flags=0xfffffff0, which is no flag, cap_offset=0xbbbbbbbb, at read-only-structs, followed by aaaaaaaa aaaaaaaa ... and 96 bytes more)", IN_EACH(-EINVAL, -EFAULT) },
};

static const char *device_1 = "0000:00:01.0";
static char group_1[512];

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");
	take_arena();
	if (map_at(READ_ONLY_STRUCTS, 0x1000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of read-only structs");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	result = open_needed(group_1);
	int group1 = result < 0 ? 0 : result;

	int group_set_container_3 = container1;
	record(ioctl(group1, VFIO_GROUP_SET_CONTAINER, &group_set_container_3));

	struct vfio_iommu_type1_info get_info_4 = {
		.argsz = 0x10,
		.flags = 0xfffffff0,
		.cap_offset = 0xbbbbbbbb,
	};
	put_read_only(READ_ONLY_STRUCTS, &get_info_4, 24);
	static const __u8 behind_4[] = {
			0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
			0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
			0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
			0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
			0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
			0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
			0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
			0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
			0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
		};
	put_read_only(READ_ONLY_STRUCTS + 24, behind_4, 104);
	record(ioctl(container1, VFIO_IOMMU_GET_INFO, READ_ONLY_STRUCTS));
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
