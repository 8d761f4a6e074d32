// SPDX-License-Identifier: MIT
// The properties of an IOMMU's domains, from its capabilities and not from VFIO and iommufd: paging domains of
// drivers/iommu/intel/iommu.c and drivers/iommu/virtio-iommu.c.

import type { Iommu } from '../../../spec/terms/platform.ts';
import type { IommuDescription } from './machine-description.ts';

const PAGE_4K = 0x1000n;
const PAGE_2M = 0x20_0000n;
const PAGE_1G = 0x4000_0000n;

const bits = (register: bigint, from: number, count: number): number =>
  Number((register >> BigInt(from)) & ((1n << BigInt(count)) - 1n));

/** Widths in bits of addresses that tables of three, four and five levels translate, by their bit in SAGAW. */
const TABLE_WIDTHS = [
  [3, 57],
  [2, 48],
  [1, 39],
] as const;

/**
 * VT-d by its capability words (CAP: MGAW, SAGAW, SLLPS; ECAP: SC). Undefined if it may use first-stage tables, whose
 * domains differ.
 */
const vtdOf = (capabilities: bigint, extended: bigint): Iommu | undefined => {
  const isScalable = bits(extended, 43, 1) === 1 && bits(extended, 47, 1) === 1;
  const widest = bits(capabilities, 16, 6) + 1;
  const tables = bits(capabilities, 8, 5);
  const table = TABLE_WIDTHS.find(([bit]) => (tables >> bit) % 2 === 1);
  if (isScalable || table === undefined) return undefined;
  const width = BigInt(Math.min(widest, table[1]));
  return {
    pageSizes:
      PAGE_4K |
      (bits(capabilities, 34, 1) === 1 ? PAGE_2M : 0n) |
      (bits(capabilities, 35, 1) === 1 ? PAGE_1G : 0n),
    aperture: { start: 0n, last: (1n << width) - 1n },
    enforcesCacheCoherency: bits(extended, 7, 1) === 1,
  };
};

/** Undefined if the machine reports too little. */
export const iommuOfMachine = ({ vtd, virtio }: IommuDescription): Iommu | undefined => {
  if (vtd !== undefined) return vtdOf(BigInt(`0x${vtd.capabilities}`), BigInt(`0x${vtd.extended}`));
  if (virtio === undefined) return undefined;
  return {
    pageSizes: BigInt(virtio.pageSizes),
    aperture: { start: 0n, last: (1n << BigInt(virtio.addressBits)) - 1n },
    enforcesCacheCoherency: false,
    driver: 'virtio',
  };
};
