// SPDX-License-Identifier: MIT
// The hardware of a group: its IOMMU, the properties of its domains, and the IOVAs that its devices reserve.

import { PAGE_SIZE_BYTES } from '../abi/units.ts';
import { iommuName } from '../hardware/templates.ts';
import type { HardwareDomain } from '../state/domain.ts';
import { smallestPageSize } from '../state/io-pagetable.ts';
import type { Iommu, IovaRange, Platform } from '../terms/platform.ts';

export type GroupOfIommu = {
  readonly kind: 'iommu';
  readonly iommu: Iommu;
  /** Without the properties that depend on the release. */
  readonly domain: Omit<HardwareDomain, 'mapsWithoutPermission' | 'writeImpliesRead'>;
  readonly reserved: readonly IovaRange[];
};

/** 'emulated' is an mdev group, which has no IOMMU. No-IOMMU groups never attach to type1. */
export type GroupHardware = { readonly kind: 'emulated' } | GroupOfIommu;

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

/** This is not specified: the kernel warns, and no x86-64 machine has such an IOMMU. */
export const COARSE = "type1 over an IOMMU without pages as small as the processor's";

/** Whether the smallest page of the group's IOMMU is larger than PAGE_SIZE. */
export const isCoarse = (platform: Platform, group: number): boolean => {
  const hardware = hardwareOf(platform, group);
  return hardware.kind === 'iommu' && smallestPageSize(hardware.domain.pageSizes) > PAGE_SIZE_BYTES;
};
