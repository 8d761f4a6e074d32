/*
 * UNMAP_DMA with flags that iommufd does not have fails with EINVAL, whatever else is wrong.
 *
 * VFIO_IOMMU_UNMAP_DMA, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EFAULT. GET_DIRTY_BITMAP: the 24 bytes after the struct cannot be read.
 *   (vfio_iommu_type1_unmap_dma() in drivers/vfio/vfio_iommu_type1.c)
 * iommufd: -1 EINVAL. A flag other than ALL is set, such as GET_DIRTY_BITMAP or VADDR.
 *   (iommufd_vfio_unmap_dma() in drivers/iommu/iommufd/vfio_compat.c)
 *
 * Arguments: a device of VFIO, each alone in its group (83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 if there
 * are none).
 */
#include "audit.h"

struct vfio_iommu_unmap_dma_with_bitmap {
	__u32 argsz;
	__u32 flags;
	__aligned_u64 iova;
	__aligned_u64 size;
	__aligned_u64 bitmap_pgsize;
	__aligned_u64 bitmap_size;
	__aligned_u64 bitmap_data;
};

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  group1 = open(\"/dev/vfio/0\")", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", IN_EACH(0, 0) },
	{ "4  VFIO_SET_IOMMU(container1, TYPE1v2)", IN_EACH(0, 0) },
	{ "5  VFIO_IOMMU_UNMAP_DMA(container1, struct of VFIO_IOMMU_UNMAP_DMA with bitmap, flags=0x1, iova=0xffffffffffffa000, size=0x45000 (276 KiB), bitmap_pgsize=0x2000, bitmap_size=0x1000 (4 KiB), bitmap_data=arrays+0x300, at structs+0x1fe8)", IN_EACH(-EFAULT, -EINVAL) },
};

static const char *device_1 = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
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
	if (map_at(ARRAYS, 0x4000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of arrays");
	if (map_at(DATA, 0x40000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of data");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	result = open_needed(group_1);
	int group1 = result < 0 ? 0 : result;

	int group_set_container_3 = container1;
	memcpy((void *)(STRUCTS), &group_set_container_3, 4);
	record(ioctl(group1, VFIO_GROUP_SET_CONTAINER, STRUCTS));

	record(ioctl(container1, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));

	struct vfio_iommu_unmap_dma_with_bitmap unmap_dma_with_bitmap_5 = {
		.argsz = sizeof(unmap_dma_with_bitmap_5),
		.flags = 0x1,
		.iova = 0xffffffffffffa000ULL,
		.size = 0x45000,
		.bitmap_pgsize = 0x2000,
		.bitmap_size = 0x1000,
		.bitmap_data = ARRAYS + 0x300,
	};
	/* 24 of 48 bytes: there is no memory for the others */
	memcpy((void *)(STRUCTS + 0x1fe8), &unmap_dma_with_bitmap_5, 24);
	record(ioctl(container1, VFIO_IOMMU_UNMAP_DMA, STRUCTS + 0x1fe8));
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
