/*
 * DIRTY_PAGES(GET_BITMAP) of an empty or unaligned range fails with ENOTTY instead of EINVAL.
 *
 * VFIO_IOMMU_DIRTY_PAGES, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EINVAL. GET_BITMAP: size is 0. (vfio_iommu_type1_dirty_pages() in
 *   drivers/vfio/vfio_iommu_type1.c)
 * iommufd: -1 ENOTTY. The call is not one of the compatibility layer, such as DIRTY_PAGES, ENABLE,
 *   DISABLE and those of groups and devices. (iommufd_vfio_ioctl() in
 *   drivers/iommu/iommufd/vfio_compat.c)
 *
 * Arguments: a device of VFIO, each alone in its group (0000:00:01.0 if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/1\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ "4  VFIO_SET_IOMMU(container1, TYPE1v2)", IN_EACH(0, 0) },
	{ "5  VFIO_IOMMU_DIRTY_PAGES(container1, argsz=48, flags=GET_BITMAP)", IN_EACH(-EINVAL, -ENOTTY) },
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
	if (map_at(STRUCTS, 0x2000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of structs");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	result = open_needed(group_1);
	int group1 = result < 0 ? 0 : result;

	int group_set_container_3 = container1;
	memcpy((void *)(STRUCTS), &group_set_container_3, 4);
	record(ioctl(group1, VFIO_GROUP_SET_CONTAINER, STRUCTS));

	record(ioctl(container1, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));

	struct vfio_iommu_type1_dirty_bitmap dirty_pages_5 = {
		.argsz = 0x30,
		.flags = 0x4 /* GET_BITMAP */,
	};
	memcpy((void *)(STRUCTS), &dirty_pages_5, 8);
	record(ioctl(container1, VFIO_IOMMU_DIRTY_PAGES, STRUCTS));
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
