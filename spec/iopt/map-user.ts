// SPDX-License-Identifier: MIT
// Mapping the memory of a process or of a file: iopt_map_user_pages() and iopt_map_file_pages() in
// drivers/iommu/iommufd/io_pagetable.c. Native maps and VFIO's MAP_DMA use it.

import { type ObjectId, PAGE_SIZE_BYTES, U64_MAX, userAddress } from '../abi/units.ts';
import { tableOf, withNewPages } from '../state/context.ts';
import type { IoPagetable } from '../state/io-pagetable.ts';
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

/** What every map passes. */
export type MapRequest = {
  readonly ioas: ObjectId;
  readonly target: Target;
  /** Bytes. */
  readonly length: bigint;
  readonly permissions: Permissions;
};

/** A map of memory of a process, from `address`. */
export type UserMapRequest = MapRequest & {
  readonly process: Process;
  readonly address: bigint;
};

/** A map of a memfd from byte `start`, for a process. */
export type FileMapRequest = MapRequest & {
  readonly process: Process;
  readonly file: MappableFile;
  readonly start: bigint;
};

export type MappableFile = { readonly backing: number; readonly length: bigint };

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

/** The IOVA of a map, checked or chosen. `address` is the start of its memory, whose alignment the choice keeps. */
const iovaFor = (
  table: IoPagetable,
  { target, length }: MapRequest,
  address: bigint,
): bigint | Refused =>
  target.kind === 'fixed'
    ? (checkFixedIova(table, target.iova, length) ?? target.iova)
    : chosenIova(table, address, length, HUGE_PAGE);

/** Maps parts of pages, one after another. `address` is the start of the memory of the first one. */
export const mapInto = (
  state: IommufdState,
  request: MapRequest,
  parts: readonly AreaPart[],
  address: bigint,
): Mapped | Refused => {
  const { ioas, length, permissions } = request;
  const table = tableOf(state.context, ioas);
  const badLength = checkLength(table, length);
  if (badLength !== undefined) return badLength;
  const iova = iovaFor(table, request, address);
  if (typeof iova !== 'bigint') return iova;
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

/** Maps new pages of a source. `start` is the address or the byte of the file at which the map starts. */
const mapNewPages = (
  state: IommufdState,
  request: MapRequest,
  process: Process,
  source: PagesSource,
  start: bigint,
): Mapped | Refused => {
  const { length, permissions } = request;
  const startByte = start & PAGE_MASK;
  const pages: Pages = {
    source,
    process,
    charge: chargeModeOf(state),
    // As the kernel rounds: a sum beyond 2^64 wraps.
    pageCount: Number(BigInt.asUintN(64, startByte + length + PAGE_MASK) / PAGE_SIZE_BYTES),
    writable: permissions.writable,
    areas: 0,
    pinned: undefined,
  };
  const { context, memory } = state;
  const withPages = { context: withNewPages(context, pages), memory };
  return mapInto(withPages, request, [{ pages: context.nextPages, startByte, length }], start);
};

/** iopt_map_user_pages(). */
export const mapUser = (
  state: IommufdState,
  release: Release,
  request: UserMapRequest,
): Mapped | Refused => {
  const { process, address, length } = request;
  const bad = checkSpan(release, address, length);
  if (bad !== undefined) return bad;
  const source = { kind: 'user', start: userAddress(address & ~PAGE_MASK) } as const;
  return mapNewPages(state, request, process, source, address);
};

/** iopt_map_file_pages(). */
export const mapFile = (state: IommufdState, request: FileMapRequest): Mapped | Refused => {
  const { process, file, start, length } = request;
  if (length > U64_MAX - PAGE_SIZE_BYTES) return refused(allocPagesRules.lengthOutOfRange);
  const source = {
    kind: 'file',
    backing: file.backing,
    start: start & ~PAGE_MASK,
    length: file.length,
  } as const;
  return mapNewPages(state, request, process, source, start);
};
