/*
 * Binding a device's own file to the container fails with another error.
 *
 * VFIO_DEVICE_BIND_IOMMUFD, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EBADFD. The descriptor iommufd is not an iommufd. (iommufd_ctx_from_fd() in
 *   drivers/iommu/iommufd/main.c)
 * iommufd: -1 EFAULT. out_devid cannot be written; the device is not bound.
 *   (vfio_df_ioctl_bind_iommufd() in drivers/vfio/device_cdev.c)
 */
#include "audit.h"

/* For headers older than the calls. */
#ifndef VFIO_DEVICE_BIND_IOMMUFD
#define VFIO_DEVICE_BIND_IOMMUFD _IO(';', 0x76)
#endif

/* These grew from release to release. This is their size in 7.3, whatever the headers have. */
struct vfio_device_bind_iommufd_7_3 {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 out_devid;
	__aligned_u64 token_uuid_ptr;
};

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  devicefd1 = open(\"/dev/vfio/devices/vfio0\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  device1 = VFIO_DEVICE_BIND_IOMMUFD(devicefd1, argsz=16, iommufd=container1, at read-only-structs)", IN_EACH(-EBADFD, -EFAULT) },
};

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

	result = open_needed("/dev/vfio/devices/vfio0");
	int devicefd1 = result < 0 ? 0 : result;

	struct vfio_device_bind_iommufd_7_3 device_bind_iommufd_3 = {
		.argsz = 0x10,
		.iommufd = container1,
	};
	put_read_only(READ_ONLY_STRUCTS, &device_bind_iommufd_3, 24);
	record(ioctl(devicefd1, VFIO_DEVICE_BIND_IOMMUFD, READ_ONLY_STRUCTS));
}

int main(void)
{
	out = stdout;
	setlinebuf(out);
	return run_both(make_calls, calls, COUNT(calls), ALL_RELEASES);
}
