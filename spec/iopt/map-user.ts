// SPDX-License-Identifier: MIT
// Mapping the memory of a process or of a file: iopt_map_user_pages() and iopt_map_file_pages() in
// drivers/iommu/iommufd/io_pagetable.c. Native maps and VFIO's MAP_DMA use it.

import { type ObjectId, PAGE_SIZE_BYTES, U64_MAX, userAddress } from '../abi/units.ts';
import { tableOf, withNewPages } from '../state/context.ts';
import type { IommufdState } from '../state/iommufd-state.ts';
import type { ChargeMode } from '../state/memory.ts';
import type { Pages, PagesSource } from '../state/pages.ts';
import type { Process } from '../terms/call.ts';
import type { Release } from '../terms/releases.ts';
import { isRefused, type Refused, refused, refuses, rulesOf } from '../terms/rule.ts';
import { chosenIova, unfitIova } from './choose-iova.ts';
import {
  type AreaPart,
  checkFixedIova,
  checkLength,
  checkParts,
  mapParts,
  type Permissions,
} from './map.ts';

export const allocPagesRules = rulesOf(
  {
    id: 'alloc-pages',
    title: 'allocating pages',
    source: 'iopt_alloc_user_pages() in drivers/iommu/iommufd/pages.c',
  },
  {
    addressWraps: refuses('EOVERFLOW', 'The address plus the length exceeds U64_MAX.'),
    lengthOutOfRange: refuses(
      'EINVAL',
      'The length is 0, or 2^64 - 4096 or more.',
      'iopt_alloc_pages() in drivers/iommu/iommufd/pages.c',
    ),
  },
);

/** The largest processor page that the choice of an IOVA considers, in bytes: 2 MiB on x86-64. */
const HUGE_PAGE = 0x20_0000n;

/** The IOVA of a map: the program's, or the kernel's choice. */
export type Target =
  | { readonly kind: 'fixed'; readonly iova: bigint }
  | { readonly kind: 'chosen' };

export type Mapped = {
  readonly state: IommufdState;
  readonly iova: bigint;
  /** If the kernel chose: the state for another IOVA, and why an IOVA may not be chosen. */
  readonly elsewhere: (iova: bigint) => IommufdState;
  readonly unfit: (iova: bigint) => string | undefined;
};

/** What maps of the calling process are charged to. */
const chargeModeOf = (state: IommufdState): ChargeMode =>
  state.memory.credentials.privileged ? 'none' : state.context.accounting;

const PAGE_MASK = PAGE_SIZE_BYTES - 1n;

/** Checks the address and the length of the memory. The order depends on the release. */
const checkSpan = (release: Release, address: bigint, length: bigint): Refused | undefined => {
  const wraps = address + length > U64_MAX ? refused(allocPagesRules.addressWraps) : undefined;
  const noLength =
    length === 0n || length > U64_MAX - PAGE_SIZE_BYTES
      ? refused(allocPagesRules.lengthOutOfRange)
      : undefined;
  return release.mapChecksLengthFirst ? (noLength ?? wraps) : (wraps ?? noLength);
};

/**
 * Parts mapped into a table: where the program says, or where the kernel chooses. `address` is what the first
 * part starts at, whose alignment the choice keeps.
 */
export const mapInto = (
  state: IommufdState,
  ioas: ObjectId,
  parts: readonly AreaPart[],
  length: bigint,
  address: bigint,
  target: Target,
  permissions: Permissions,
): Mapped | Refused => {
  const table = tableOf(state.context, ioas);
  const badLength = checkLength(table, length);
  if (badLength !== undefined) return badLength;
  let iova: bigint;
  if (target.kind === 'fixed') {
    const bad = checkFixedIova(table, target.iova, length);
    if (bad !== undefined) return bad;
    iova = target.iova;
  } else {
    const chosen = chosenIova(table, address, length, HUGE_PAGE);
    if (typeof chosen !== 'bigint') return chosen;
    iova = chosen;
  }
  const badPart = checkParts(state, table, parts, permissions);
  if (badPart !== undefined) return badPart;
  const mapped = mapParts(state, ioas, iova, parts, permissions);
  if (isRefused(mapped)) return mapped;
  return {
    state: mapped,
    iova,
    elsewhere: (other) => mapParts(state, ioas, other, parts, permissions) as IommufdState,
    unfit: (other) => unfitIova(table, address, other, length),
  };
};

/** The pages of a source, which are new to the context, mapped. `from` is the byte of it that they start at. */
const mapPagesOf = (
  state: IommufdState,
  ioas: ObjectId,
  process: Process,
  source: PagesSource,
  from: bigint,
  length: bigint,
  target: Target,
  permissions: Permissions,
): Mapped | Refused => {
  const offset = from & PAGE_MASK;
  const pages: Pages = {
    source,
    process,
    charge: chargeModeOf(state),
    // As the kernel rounds: a sum beyond 2^64 wraps.
    pageCount: Number(BigInt.asUintN(64, offset + length + PAGE_MASK) / PAGE_SIZE_BYTES),
    writable: permissions.writable,
    areas: 0,
    pinned: undefined,
  };
  const { context, memory } = state;
  const prepared = { context: withNewPages(context, pages), memory };
  const part = { pages: context.nextPages, startByte: offset, length };
  return mapInto(prepared, ioas, [part], length, from, target, permissions);
};

/** `length` bytes from `address` of a process mapped into the IOAS. */
export const mapUser = (
  state: IommufdState,
  release: Release,
  ioas: ObjectId,
  process: Process,
  address: bigint,
  length: bigint,
  target: Target,
  permissions: Permissions,
): Mapped | Refused => {
  const bad = checkSpan(release, address, length);
  if (bad !== undefined) return bad;
  const source = { kind: 'user', start: userAddress(address & ~PAGE_MASK) } as const;
  return mapPagesOf(state, ioas, process, source, address, length, target, permissions);
};

export type MappableFile = { readonly backing: number; readonly length: bigint };

/** `length` bytes from byte `start` of a memfd mapped into the IOAS. */
export const mapFile = (
  state: IommufdState,
  ioas: ObjectId,
  process: Process,
  file: MappableFile,
  start: bigint,
  length: bigint,
  target: Target,
  permissions: Permissions,
): Mapped | Refused => {
  if (length > U64_MAX - PAGE_SIZE_BYTES) return refused(allocPagesRules.lengthOutOfRange);
  const source = {
    kind: 'file',
    backing: file.backing,
    start: start & ~PAGE_MASK,
    length: file.length,
  } as const;
  return mapPagesOf(state, ioas, process, source, start, length, target, permissions);
};
