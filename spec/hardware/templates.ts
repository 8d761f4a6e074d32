// SPDX-License-Identifier: MIT
// The domains that an IOMMU can make: page sizes, aperture and permissions.

import { MOCK_APERTURE_LAST, MOCK_APERTURE_START } from '../abi/test.ts';
import { U64_MAX } from '../abi/units.ts';
import type { Device } from '../state/context.ts';
import type { World } from '../state/world.ts';
import type { Iommu, IovaRange } from '../terms/platform.ts';
import type { Release } from '../terms/releases.ts';

/** The properties of the domains that an IOMMU makes. */
export type DomainTemplate = {
  readonly pageSizes: bigint;
  readonly aperture: IovaRange;
  readonly mapsWithoutPermission: boolean;
  readonly writeImpliesRead: boolean;
};

/** The name of the IOMMU of mock devices. */
export const MOCK_IOMMU = 'mock';

/** The name of the platform's IOMMU of that index. */
export const iommuName = (index: number): string => `iommu ${index}`;

/** The IOMMU of devices without one: a page table that no hardware walks, from which NOIOMMU_GET_PA reads. */
export const SOFTWARE_IOMMU = 'software';

/** hwpt_noiommu.c in drivers/iommu/iommufd: AMD's format, with every size from 4 KiB to 2 PiB except 512 GiB. */
const SOFTWARE: DomainTemplate = {
  pageSizes: 0xf_ff7f_ffff_f000n,
  aperture: { start: 0n, last: U64_MAX },
  mapsWithoutPermission: false,
  writeImpliesRead: false,
};

/** How the IOMMU driver treats entries without a permission, and write-only entries. */
export const permissionsOf = (
  { driver }: Iommu,
  release: Release,
): Pick<DomainTemplate, 'mapsWithoutPermission' | 'writeImpliesRead'> => ({
  mapsWithoutPermission: driver === 'virtio',
  writeImpliesRead: driver !== 'virtio' && release.vtdWriteImpliesRead,
});

/** The aperture of a virtio-iommu domain before viommu_domain_finalise(), which the first attach calls. */
const NO_APERTURE: IovaRange = { start: 0n, last: 0n };

/**
 * The properties of a new domain for the device. If the IOAS adds the domain before a device is `attached` to it, these
 * are the properties at that time, which the IOAS keeps.
 */
export const templateFor = (world: World, device: Device, attached = true): DomainTemplate => {
  if (device.mock !== undefined) {
    const { plain, huge } = world.release.mockPageSizes;
    return {
      pageSizes: device.mock.hugePages ? huge : plain,
      aperture: { start: MOCK_APERTURE_START, last: MOCK_APERTURE_LAST },
      mapsWithoutPermission: world.release.mockMapsWithoutPermission,
      writeImpliesRead: false,
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
