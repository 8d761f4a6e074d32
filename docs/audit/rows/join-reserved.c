/*
 * A group behind an IOMMU joins although something is mapped in its reserved ranges; type1 answers
 * EINVAL.
 *
 * VFIO_GROUP_SET_CONTAINER, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EINVAL. A map overlaps a range that a device of the group reserves.
 *   (vfio_iommu_resv_conflict() in drivers/vfio/vfio_iommu_type1.c)
 * iommufd: 0. iommufd: becomes the container, and keeps its compatibility IOAS.
 *   (vfio_group_ioctl_set_container() in drivers/vfio/group.c)
 *
 * Arguments: 2 devices of VFIO, each alone in its group (0000:00:01.0,
 * 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 if there are none).
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/9\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ "4  VFIO_SET_IOMMU(container1, TYPE1v2)", IN_EACH(0, 0) },
	{ "5  group2 = open(\"/dev/vfio/1\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "6  VFIO_IOMMU_MAP_DMA(container1, flags=READ | WRITE, vaddr=data, iova=0xfee00000, size=0x4000 (16 KiB))", IN_EACH(0, 0) },
	{ "7  VFIO_GROUP_SET_CONTAINER(group2, fd=container1)", IN_EACH(-EINVAL, 0) },
};

static const char *device_1 = "0000:00:01.0";
static char group_1[512];
static const char *device_2 = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
static char group_2[512];

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");
	take_arena();
	if (map_at(DATA, 0x40000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of data");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	result = open_needed(group_2);
	int group1 = result < 0 ? 0 : result;

	int group_set_container_3 = container1;
	record(ioctl(group1, VFIO_GROUP_SET_CONTAINER, &group_set_container_3));

	record(ioctl(container1, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));

	result = open_needed(group_1);
	int group2 = result < 0 ? 0 : result;

	struct vfio_iommu_type1_dma_map map_dma_6 = {
		.argsz = sizeof(map_dma_6),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = DATA,
		.iova = 0xfee00000,
		.size = 0x4000,
	};
	record(ioctl(container1, VFIO_IOMMU_MAP_DMA, &map_dma_6));

	int group_set_container_7 = container1;
	record(ioctl(group2, VFIO_GROUP_SET_CONTAINER, &group_set_container_7));
}

int main(int argc, char **argv)
{
	out = stdout;
	setlinebuf(out);
	if (argc > 1)
		device_1 = argv[1];
	locate(device_1, group_1, sizeof(group_1));
	if (argc > 2)
		device_2 = argv[2];
	locate(device_2, group_2, sizeof(group_2));
	return run_both(make_calls, calls, COUNT(calls), ALL_RELEASES);
}
