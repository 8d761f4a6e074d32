/*
 * UNMAP_DMA on a container without a group fails with ENODEV instead of EINVAL.
 *
 * VFIO_IOMMU_UNMAP_DMA, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EINVAL. No type is set. Every command but GET_API_VERSION, CHECK_EXTENSION and SET_IOMMU
 *   is refused, even an unknown one. (vfio_fops_unl_ioctl() in drivers/vfio/container.c)
 * iommufd: -1 ENODEV. There is no compatibility IOAS: none was set or created, or it was cleared or
 *   destroyed. (get_compat_ioas() in drivers/iommu/iommufd/vfio_compat.c)
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  VFIO_IOMMU_UNMAP_DMA(container1, iova=0x100000, size=0x4000 (16 KiB))", IN_EACH(-EINVAL, -ENODEV) },
};

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	struct vfio_iommu_type1_dma_unmap unmap_dma_2 = {
		.argsz = sizeof(unmap_dma_2),
		.iova = 0x100000,
		.size = 0x4000,
	};
	record(ioctl(container1, VFIO_IOMMU_UNMAP_DMA, &unmap_dma_2));
}

int main(void)
{
	out = stdout;
	setlinebuf(out);
	return run_both(make_calls, calls, COUNT(calls), ALL_RELEASES);
}
