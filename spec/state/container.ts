// SPDX-License-Identifier: MIT
// The state of one open /dev/vfio/vfio: struct vfio_container in drivers/vfio/container.c, and from SET_IOMMU on
// struct vfio_iommu in drivers/vfio/vfio_iommu_type1.c.

import type { UserAddress } from '../abi/units.ts';
import { atOrAfter, atOrBefore, type OrderedMap } from '../collections/ordered-map.ts';
import type { Node } from '../collections/tree.ts';
import type { Process } from '../terms/call.ts';
import { type IovaRange, isNoIommuGroup, type Platform } from '../terms/platform.ts';
import type { PageSpan } from './address-space.ts';
import type { HardwareDomain } from './domain.ts';
import type { FileId } from './files.ts';

/** Consecutive pages that devices reach: memory, which is pinned and charged, or a device's BAR, which are not. */
export type ReachedSpan = PageSpan & { readonly kind: 'memory' | 'device' };

/** One map, which stays as it was made: struct vfio_dma. */
export type Dma = {
  /** The last IOVA, inclusive. The first is the key. */
  readonly last: bigint;
  /** Where its memory starts in the process. */
  readonly address: UserAddress;
  /** Whose memory it is, and who is charged for it. */
  readonly process: Process;
  readonly readable: boolean;
  readonly writable: boolean;
  /** The pages that every domain translates to, in order; undefined where there is no domain. */
  readonly reached: readonly ReachedSpan[] | undefined;
  /** UNMAP_DMA took the address away, and MAP_DMA has not given another one. */
  readonly addressInvalid: boolean;
  /** While dirty pages are tracked: the kernel's bitmap with its spare word, bit 0 the first page. */
  readonly dirty: bigint | undefined;
};

export type Dmas = OrderedMap<bigint, Dma>;
export type DmaNode = Node<bigint, Dma, undefined>;

/** A domain with the groups that are attached to it. */
export type Type1Domain = {
  readonly domain: HardwareDomain;
  readonly groups: readonly number[];
};

export type Type1 = {
  readonly version: 1 | 2;
  /** SET_IOMMU was given TYPE1_NESTING. */
  readonly nesting: boolean;
  /** The latest first. */
  readonly domains: readonly Type1Domain[];
  /** Groups of mdevs. */
  readonly emulatedGroups: readonly number[];
  /** Where maps may lie, ascending; empty allows all. */
  readonly ranges: readonly IovaRange[];
  readonly dmas: Dmas;
  /**
   * The first IOVAs of maps that end with the last byte of the address space, where no call sees such (6.12). None is made
   * where there is a domain. Beside other maps the shape of the kernel's tree decides what a lookup finds: then the container is
   * untracked.
   */
  readonly lookupMisses: readonly bigint[];
  /** How many more maps may be made. */
  readonly available: number;
  /** How many maps have an invalid address. */
  readonly invalidAddresses: number;
  readonly tracksDirty: boolean;
};

export type Container = {
  readonly file: FileId;
  /** The groups that have joined, the latest first. */
  readonly groups: readonly number[];
  /** What SET_IOMMU made; gone with the last group. */
  readonly type1: Type1 | undefined;
  /** The type is NOIOMMU; gone with the last group, too. */
  readonly noIommu: boolean;
  /** Why nothing is known of it any more. */
  readonly untracked: string | undefined;
};

export const newContainer = (file: FileId): Container => ({
  file,
  groups: [],
  type1: undefined,
  noIommu: false,
  untracked: undefined,
});

/** Whether the groups that have joined are no-IOMMU ones, so that no other may. */
export const isOfNoIommu = (platform: Platform, { groups }: Container): boolean =>
  groups.some((group) => isNoIommuGroup(platform, group));

export const dmaLength = ({ key, value }: DmaNode): bigint => value.last - key + 1n;

/** The map that holds the IOVA. */
export const dmaAt = (dmas: Dmas, iova: bigint): DmaNode | undefined => {
  const found = atOrBefore(dmas, iova);
  return found === undefined || found.value.last < iova ? undefined : found;
};

/** The map with the least IOVA of those that meet [start, last]. */
export const firstDmaIn = (dmas: Dmas, start: bigint, last: bigint): DmaNode | undefined => {
  const holding = dmaAt(dmas, start);
  if (holding !== undefined) return holding;
  const next = atOrAfter(dmas, start);
  return next === undefined || next.key > last ? undefined : next;
};

/** Whether a range up to `last` meets a map that is not seen. */
export const meetsMissed = ({ lookupMisses }: Type1, last: bigint): boolean =>
  lookupMisses.some((start) => start <= last);

/** How many pages of the map are charged: those of memory. */
export const chargedPages = ({ reached }: Dma): number =>
  (reached ?? []).reduce((sum, { kind, count }) => (kind === 'memory' ? sum + count : sum), 0);
