// What a device's IOMMU makes domains with.

import { MOCK_APERTURE_LAST, MOCK_APERTURE_START } from '../abi/test.ts';
import { U64_MAX } from '../abi/units.ts';
import type { Device } from '../iommufd/context.ts';
import type { DomainTemplate } from '../iommufd/hwpt.ts';
import type { World } from '../world.ts';

/** The name of the IOMMU of mock devices. */
export const MOCK_IOMMU = 'mock';

/** The name of the platform's IOMMU of that index. */
export const iommuName = (index: number): string => `iommu ${index}`;

/** What devices without an IOMMU are attached to: a page table that no hardware walks, for asking the kernel. */
export const SOFTWARE_IOMMU = 'software';

/** hwpt_noiommu.c in drivers/iommu/iommufd: AMD's format, with every size from 4 KiB to 2 PiB but 512 GiB. */
const SOFTWARE: DomainTemplate = {
  pageSizes: 0xf_ff7f_ffff_f000n,
  aperture: { start: 0n, last: U64_MAX },
  mapsWithoutPermission: false,
  readsWhereItWrites: false,
};

/** What domains for the device can translate, and with which pages. */
export const templateFor = (world: World, device: Device): DomainTemplate => {
  if (device.mock !== undefined) {
    const { plain, huge } = world.release.mockPageSizes;
    return {
      pageSizes: device.mock.hugePages ? huge : plain,
      aperture: { start: MOCK_APERTURE_START, last: MOCK_APERTURE_LAST },
      mapsWithoutPermission: world.release.mockMapsWithoutPermission,
      readsWhereItWrites: false,
    };
  }
  if (device.iommu === SOFTWARE_IOMMU) return SOFTWARE;
  const index = world.setting.platform.iommus.findIndex(
    (_, position) => iommuName(position) === device.iommu,
  );
  const iommu = world.setting.platform.iommus[index];
  if (iommu === undefined) throw new Error(`The platform has no IOMMU called ${device.iommu}.`);
  const { pageSizes, aperture } = iommu;
  const readsWhereItWrites = world.release.vtdReadsWhereItWrites;
  return { pageSizes, aperture, mapsWithoutPermission: false, readsWhereItWrites };
};
