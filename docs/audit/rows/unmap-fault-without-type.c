/*
 * Before SET_IOMMU an UNMAP_DMA whose struct cannot be read fails with EFAULT.
 *
 * VFIO_IOMMU_UNMAP_DMA, result, in Linux 6.12.95 and 7.3.4:
 * type1: -1 EINVAL. No type is set. Every command but GET_API_VERSION, CHECK_EXTENSION and SET_IOMMU
 *   is refused, even an unknown one. (vfio_fops_unl_ioctl() in drivers/vfio/container.c)
 * iommufd: -1 EFAULT. The 24 bytes of the struct cannot be read, whatever argsz says.
 *   (iommufd_vfio_unmap_dma() in drivers/iommu/iommufd/vfio_compat.c)
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  VFIO_IOMMU_UNMAP_DMA(container1, iova=0x100000, size=0x4000 (16 KiB), at 0x0)", IN_EACH(-EINVAL, -EFAULT) },
};

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	/* 0 of 24 bytes: there is no memory for the others */
	record(ioctl(container1, VFIO_IOMMU_UNMAP_DMA, 0));
}

int main(void)
{
	out = stdout;
	setlinebuf(out);
	return run_both(make_calls, calls, COUNT(calls), ALL_RELEASES);
}
