// SPDX-License-Identifier: MIT
// What a device's IOMMU makes domains with.

import { MOCK_APERTURE_LAST, MOCK_APERTURE_START } from '../abi/test.ts';
import { U64_MAX } from '../abi/units.ts';
import type { Device } from '../state/context.ts';
import type { World } from '../state/world.ts';
import type { Iommu, IovaRange } from '../terms/platform.ts';
import type { Release } from '../terms/releases.ts';

/** What a device's IOMMU makes domains with. */
export type DomainTemplate = {
  readonly pageSizes: bigint;
  readonly aperture: IovaRange;
  readonly mapsWithoutPermission: boolean;
  readonly readsWhereItWrites: boolean;
};

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

/** What entries without a permission are, and those for writing only. */
export const permissionsOf = (
  { driver }: Iommu,
  release: Release,
): Pick<DomainTemplate, 'mapsWithoutPermission' | 'readsWhereItWrites'> => ({
  mapsWithoutPermission: driver === 'virtio',
  readsWhereItWrites: driver !== 'virtio' && release.vtdReadsWhereItWrites,
});

/** The aperture of a domain before its first device: viommu_domain_finalise() comes with the first device. */
const NO_APERTURE: IovaRange = { start: 0n, last: 0n };

/**
 * What domains for the device can translate, and with which pages; of one that its IOAS takes in before a device is
 * `attached`, what is known of it then, and stays so for the IOAS.
 */
export const templateFor = (world: World, device: Device, attached = true): DomainTemplate => {
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
  const { pageSizes } = iommu;
  const isUnreported = iommu.driver === 'virtio' && !attached && !world.release.virtioKnowsAperture;
  const aperture = isUnreported ? NO_APERTURE : iommu.aperture;
  return { pageSizes, aperture, ...permissionsOf(iommu, world.release) };
};
