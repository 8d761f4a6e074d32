// SPDX-License-Identifier: MIT
// The state of one open /dev/vfio/vfio: struct vfio_container in drivers/vfio/container.c, and after SET_IOMMU struct
// vfio_iommu in drivers/vfio/vfio_iommu_type1.c.

import type { UserAddress } from '../abi/units.ts';
import { atOrAfter, atOrBefore, type OrderedMap } from '../collections/ordered-map.ts';
import type { Node } from '../collections/tree.ts';
import type { Process } from '../terms/call.ts';
import { type IovaRange, isNoIommuGroup, type Platform } from '../terms/platform.ts';
import type { PageSpan } from './address-space.ts';
import type { HardwareDomain } from './domain.ts';
import type { FileId } from './files.ts';

/** Consecutive pages that devices reach: memory, which is pinned and charged, or a BAR, which is not. */
export type ReachedSpan = PageSpan & { readonly kind: 'memory' | 'device' };

/** A map: struct vfio_dma. It is never split. */
export type Dma = {
  /** The last IOVA, inclusive. The key is the first. */
  readonly last: bigint;
  /** The address of its memory in the process. */
  readonly vaddr: UserAddress;
  /** The process whose memory it is, and which is charged for it. */
  readonly process: Process;
  readonly readable: boolean;
  readonly writable: boolean;
  /** The pages that every domain translates to, in order; undefined if there is no domain. */
  readonly reached: readonly ReachedSpan[] | undefined;
  /** UNMAP_DMA has invalidated the vaddr, and MAP_DMA has not set a new one. */
  readonly vaddrInvalid: boolean;
  /** While dirty pages are tracked: the kernel's bitmap with its spare word; bit 0 is the first page. */
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
  /** The type is TYPE1_NESTING. */
  readonly nesting: boolean;
  /** Latest first. */
  readonly domains: readonly Type1Domain[];
  /** Groups of mdevs. */
  readonly emulatedGroups: readonly number[];
  /** The ranges in which maps must be, ascending; all IOVAs if empty. */
  readonly ranges: readonly IovaRange[];
  readonly dmas: Dmas;
  /**
   * The first IOVAs of maps that end at U64_MAX, which vfio_find_dma() of 6.12 misses. With a domain there are none.
   * With other maps, the shape of the kernel's tree decides what a lookup finds: then the container is untracked.
   */
  readonly lookupMisses: readonly bigint[];
  /** How many more maps may be made. */
  readonly available: number;
  /** How many maps have an invalid vaddr. */
  readonly invalidVaddrs: number;
  readonly tracksDirty: boolean;
};

export type Container = {
  readonly file: FileId;
  /** Its groups, latest first. */
  readonly groups: readonly number[];
  /** Made by SET_IOMMU, and gone with the last group. */
  readonly type1: Type1 | undefined;
  /** The type is NOIOMMU, until the last group leaves. */
  readonly noIommu: boolean;
  /** Why its state is not known any more. */
  readonly untracked: string | undefined;
};

export const newContainer = (file: FileId): Container => ({
  file,
  groups: [],
  type1: undefined,
  noIommu: false,
  untracked: undefined,
});

/** Whether its groups are no-IOMMU groups, so that no other group may join. */
export const hasNoIommuGroups = (platform: Platform, { groups }: Container): boolean =>
  groups.some((group) => isNoIommuGroup(platform, group));

export const dmaLength = ({ key, value }: DmaNode): bigint => value.last - key + 1n;

/** The map that contains the IOVA. */
export const dmaAt = (dmas: Dmas, iova: bigint): DmaNode | undefined => {
  const found = atOrBefore(dmas, iova);
  return found === undefined || found.value.last < iova ? undefined : found;
};

/** The first map that overlaps [start, last]. */
export const firstDmaIn = (dmas: Dmas, start: bigint, last: bigint): DmaNode | undefined => {
  const holding = dmaAt(dmas, start);
  if (holding !== undefined) return holding;
  const next = atOrAfter(dmas, start);
  return next === undefined || next.key > last ? undefined : next;
};

/** How many pages of the map are charged: those of memory. */
export const chargedPages = ({ reached }: Dma): number =>
  (reached ?? []).reduce((sum, { kind, count }) => (kind === 'memory' ? sum + count : sum), 0);
