/*
 * A device's own file can be bound to the container (BIND_IOMMUFD).
 *
 * VFIO_DEVICE_BIND_IOMMUFD, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EBADFD. The descriptor iommufd is not an iommufd. (iommufd_ctx_from_fd() in
 *   drivers/iommu/iommufd/main.c)
 * iommufd: 0. Binds the device to the iommufd, unattached; out_devid returns its id. Its group cannot
 *   be opened while it is bound. (vfio_df_ioctl_bind_iommufd() in drivers/vfio/device_cdev.c)
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
	{ "3  device1 = VFIO_DEVICE_BIND_IOMMUFD(devicefd1, argsz=16, iommufd=container1)", IN_EACH(-EBADFD, 0) },
};

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	result = open_needed("/dev/vfio/devices/vfio0");
	int devicefd1 = result < 0 ? 0 : result;

	struct vfio_device_bind_iommufd_7_3 device_bind_iommufd_3 = {
		.argsz = 0x10,
		.iommufd = container1,
	};
	record(ioctl(devicefd1, VFIO_DEVICE_BIND_IOMMUFD, &device_bind_iommufd_3));
}

int main(void)
{
	out = stdout;
	setlinebuf(out);
	return run_both(make_calls, calls, COUNT(calls), ALL_RELEASES);
}
