// SPDX-License-Identifier: MIT
// The number of an ioctl, from any of the forms in which strace writes it.

import { NATIVE_CALLS } from '../../spec/abi/native.ts';
import { numberIn } from './values.ts';

/** VFIO's, by number; several calls share one, as they are for different files. */
const VFIO: Readonly<Record<string, number>> = {
  VFIO_GET_API_VERSION: 0x3b64,
  VFIO_CHECK_EXTENSION: 0x3b65,
  VFIO_SET_IOMMU: 0x3b66,
  VFIO_GROUP_GET_STATUS: 0x3b67,
  VFIO_GROUP_SET_CONTAINER: 0x3b68,
  VFIO_GROUP_UNSET_CONTAINER: 0x3b69,
  VFIO_GROUP_GET_DEVICE_FD: 0x3b6a,
  VFIO_DEVICE_GET_INFO: 0x3b6b,
  VFIO_DEVICE_GET_REGION_INFO: 0x3b6c,
  VFIO_DEVICE_GET_IRQ_INFO: 0x3b6d,
  VFIO_DEVICE_SET_IRQS: 0x3b6e,
  VFIO_DEVICE_RESET: 0x3b6f,
  VFIO_DEVICE_GET_PCI_HOT_RESET_INFO: 0x3b70,
  VFIO_IOMMU_GET_INFO: 0x3b70,
  VFIO_IOMMU_SPAPR_TCE_GET_INFO: 0x3b70,
  VFIO_MIG_GET_PRECOPY_INFO: 0x3b79,
  VFIO_DEVICE_PCI_HOT_RESET: 0x3b71,
  VFIO_IOMMU_MAP_DMA: 0x3b71,
  VFIO_DEVICE_QUERY_GFX_PLANE: 0x3b72,
  VFIO_IOMMU_UNMAP_DMA: 0x3b72,
  VFIO_DEVICE_GET_GFX_DMABUF: 0x3b73,
  VFIO_IOMMU_ENABLE: 0x3b73,
  VFIO_DEVICE_IOEVENTFD: 0x3b74,
  VFIO_IOMMU_DISABLE: 0x3b74,
  VFIO_DEVICE_FEATURE: 0x3b75,
  VFIO_IOMMU_DIRTY_PAGES: 0x3b75,
  VFIO_IOMMU_SPAPR_REGISTER_MEMORY: 0x3b75,
  VFIO_DEVICE_BIND_IOMMUFD: 0x3b76,
  VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY: 0x3b76,
  VFIO_DEVICE_ATTACH_IOMMUFD_PT: 0x3b77,
  VFIO_IOMMU_SPAPR_TCE_CREATE: 0x3b77,
  VFIO_DEVICE_DETACH_IOMMUFD_PT: 0x3b78,
  VFIO_IOMMU_SPAPR_TCE_REMOVE: 0x3b78,
  VFIO_EEH_PE_OP: 0x3b79,
};

const NATIVE: ReadonlyMap<string, number> = new Map(
  NATIVE_CALLS.map(({ name, command }) => [name, command]),
);

const DIRECTIONS: Readonly<Record<string, number>> = {
  _IOC_NONE: 0,
  _IOC_WRITE: 1,
  _IOC_READ: 2,
};

const WORD = '(?:0x[0-9a-f]{1,8}|\\d{1,10}|_IOC_[A-Z]+(?:\\|_IOC_[A-Z]+)*)';
const IOC = new RegExp(`^_IOC\\((${WORD}), (${WORD}), (${WORD}), (${WORD})\\)`);

const wordOf = (text: string): number =>
  text
    .split('|')
    .reduce((sum, part) => sum | (DIRECTIONS[part] ?? Number(numberIn(part) ?? 0n)), 0);

/** "VFIO_SET_IOMMU", "A or B", "_IOC(_IOC_NONE, 0x3b, 0x81, 0)", "0x3b81"; undefined for a name that is not known. */
export const ioctlNumber = (text: string): number | undefined => {
  const ioc = IOC.exec(text);
  if (ioc !== null) {
    const [direction = 0, type = 0, number = 0, size = 0] = ioc.slice(1).map(wordOf);
    return ((direction << 30) | (size << 16) | (type << 8) | number) >>> 0;
  }
  const number = numberIn(text);
  if (number !== undefined) return Number(BigInt.asUintN(32, number));
  for (const name of text.split(' or ').slice(0, 16)) {
    const known = VFIO[name] ?? NATIVE.get(name);
    if (known !== undefined) return known;
  }
  return undefined;
};

const TYPE = 0x3b;

/** Whether the number is of VFIO or iommufd: their type is ';', and no call has a direction or a size. */
export const isVfioNumber = (command: number): boolean => command >>> 8 === TYPE;

/** Whether a name that is not in these tables is of VFIO or iommufd. */
export const isVfioName = (text: string): boolean => /^(?:VFIO|IOMMU)_/.test(text);
