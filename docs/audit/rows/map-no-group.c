/*
 * MAP_DMA on a container without a group fails with ENODEV instead of EINVAL.
 *
 * VFIO_IOMMU_MAP_DMA, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EINVAL. No type is set. Every command but GET_API_VERSION, CHECK_EXTENSION and SET_IOMMU
 *   is refused, even an unknown one. (vfio_fops_unl_ioctl() in drivers/vfio/container.c)
 * iommufd: -1 ENODEV. There is no compatibility IOAS: none was set or created, or it was cleared or
 *   destroyed. (get_compat_ioas() in drivers/iommu/iommufd/vfio_compat.c)
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  VFIO_IOMMU_MAP_DMA(container1, flags=READ | WRITE, vaddr=data, iova=0x400000, size=0x1000 (4 KiB))", IN_EACH(-EINVAL, -ENODEV) },
};

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

	struct vfio_iommu_type1_dma_map map_dma_2 = {
		.argsz = sizeof(map_dma_2),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = DATA,
		.iova = 0x400000,
		.size = 0x1000,
	};
	record(ioctl(container1, VFIO_IOMMU_MAP_DMA, &map_dma_2));
}

int main(void)
{
	out = stdout;
	setlinebuf(out);
	return run_both(make_calls, calls, COUNT(calls), ALL_RELEASES);
}
