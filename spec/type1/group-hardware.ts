// SPDX-License-Identifier: MIT
// A group as the IOMMU has it: what its domains are like, and which IOVAs its devices reach by another way.

import { PAGE_SIZE_BYTES } from '../abi/units.ts';
import { iommuName } from '../hardware/templates.ts';
import type { HardwareDomain } from '../state/domain.ts';
import { leastPageSize } from '../state/io-pagetable.ts';
import type { Iommu, IovaRange, Platform } from '../terms/platform.ts';

export type GroupHardware =
  /** Mdevs: there is nothing to translate. Groups without an IOMMU have no type1 to ask. */
  | { readonly kind: 'emulated' }
  | {
      readonly kind: 'iommu';
      readonly iommu: Iommu;
      /** What a release has a say in is left out. */
      readonly domain: Omit<HardwareDomain, 'mapsWithoutPermission' | 'readsWhereItWrites'>;
      readonly reserved: readonly IovaRange[];
    };

const EMULATED: GroupHardware = { kind: 'emulated' };

export const hardwareOf = (platform: Platform, group: number): GroupHardware => {
  const devices = platform.devices.filter((device) => device.group === group);
  const index = devices[0]?.iommu;
  const iommu = typeof index === 'number' ? platform.iommus[index] : undefined;
  if (typeof index !== 'number' || iommu === undefined) return EMULATED;
  const { pageSizes, aperture, enforcesCacheCoherency } = iommu;
  return {
    kind: 'iommu',
    iommu,
    domain: {
      iommu: iommuName(index),
      pageSizes,
      aperture,
      enforcesCacheCoherency,
      tracksDirty: false,
    },
    reserved: devices.flatMap(({ reserved }) => reserved),
  };
};

/** What is not specified, as the kernel warns of it and no x86-64 machine has it. */
export const COARSE = "type1 over an IOMMU without pages as small as the processor's";

/** Whether the group's IOMMU has no page as small as the processor's. */
export const isCoarse = (platform: Platform, group: number): boolean => {
  const hardware = hardwareOf(platform, group);
  return hardware.kind === 'iommu' && leastPageSize(hardware.domain.pageSizes) > PAGE_SIZE_BYTES;
};
