// SPDX-License-Identifier: MIT
// Adding areas to an IOAS: iopt_map_pages() in drivers/iommu/iommufd/io_pagetable.c. Either every part is mapped in
// every domain, or nothing changes.

import { type ObjectId, U64_MAX } from '../abi/units.ts';
import { type Area, firstOverlapping, pageOfByte, pagesOfArea, putArea } from '../state/area.ts';
import { type Context, hwptAt, pagesAt, tableOf, withPages, withTable } from '../state/context.ts';
import { type IoPagetable, overlapping, PAGE_ALIGNMENT, withAreas } from '../state/io-pagetable.ts';
import type { IommufdState } from '../state/iommufd-state.ts';
import { type PagesId, withAreaCount } from '../state/pages.ts';
import { isRefused, type Refused, refused, refuses, rulesOf } from '../terms/rule.ts';
import { domainsRules } from './domains.ts';
import { pinRange } from './pin-range.ts';

export const mappingRules = rulesOf(
  {
    id: 'mapping',
    title: 'mapping',
    source: 'iopt_check_iova() in drivers/iommu/iommufd/io_pagetable.c',
  },
  {
    misalignedLength: refuses(
      'EINVAL',
      'The length is 0 or not a multiple of the alignment of the IOAS.',
      'iopt_alloc_area_pages() in drivers/iommu/iommufd/io_pagetable.c',
    ),
    misalignedIova: refuses('EINVAL', 'The IOVA is not a multiple of the alignment of the IOAS.'),
    wraps: refuses('EOVERFLOW', 'The last IOVA exceeds U64_MAX.'),
    reserved: refuses('EINVAL', 'The range overlaps one that a device or a domain reserves.'),
    overlaps: refuses('EEXIST', 'The range overlaps an area.'),
    readOnlyPages: refuses(
      'EPERM',
      'WRITEABLE is set, and the memory was first mapped without it.',
      'iopt_insert_area() in drivers/iommu/iommufd/io_pagetable.c',
    ),
    misalignedOffset: refuses(
      'EINVAL',
      'The offset of the memory in its first page is not a multiple of the alignment of the IOAS.',
      'iopt_insert_area() in drivers/iommu/iommufd/io_pagetable.c',
    ),
    pageCountWraps: refuses(
      'EOVERFLOW',
      'The end of the memory, rounded up to a page, exceeds U64_MAX: the page count wraps to 0, and the kernel also warns.',
      'iopt_insert_area() in drivers/iommu/iommufd/io_pagetable.c',
    ),
  },
);

/** The memory that one area is to map: a part of pages. */
export type AreaPart = {
  readonly pages: PagesId;
  /** Bytes from the start of the pages. */
  readonly startByte: bigint;
  /** Bytes. */
  readonly length: bigint;
};

export type Permissions = { readonly readable: boolean; readonly writable: boolean };

/** Checks the length, before the IOVA. */
export const checkLength = (table: IoPagetable, length: bigint): Refused | undefined =>
  length === 0n || (length & (table.alignment - 1n)) !== 0n
    ? refused(mappingRules.misalignedLength)
    : undefined;

/** Checks an IOVA that the program passed. */
export const checkFixedIova = (
  table: IoPagetable,
  iova: bigint,
  length: bigint,
): Refused | undefined => {
  if ((iova & (table.alignment - 1n)) !== 0n) return refused(mappingRules.misalignedIova);
  const last = iova + length - 1n;
  if (last > U64_MAX) return refused(mappingRules.wraps);
  if (overlapping(table.reservedSpans, iova, last) !== undefined)
    return refused(mappingRules.reserved);
  if (firstOverlapping(table.areas, iova, last) !== undefined)
    return refused(mappingRules.overlaps);
  return undefined;
};

/** Checks the parts, whatever their IOVA. */
export const checkParts = (
  state: IommufdState,
  table: IoPagetable,
  parts: readonly AreaPart[],
  permissions: Permissions,
): Refused | undefined => {
  for (const part of parts) {
    const pages = pagesAt(state.context, part.pages);
    if (permissions.writable && !pages.writable) return refused(mappingRules.readOnlyPages);
    const offset = part.startByte & (PAGE_ALIGNMENT - 1n);
    if ((offset & (table.alignment - 1n)) !== 0n) return refused(mappingRules.misalignedOffset);
    if (pageOfByte(part.startByte + part.length - 1n) >= pages.pageCount) {
      return refused(mappingRules.pageCountWraps);
    }
  }
  return undefined;
};

/** Why a domain of the table cannot map with these permissions. */
const unmappable = (
  context: Context,
  table: IoPagetable,
  { readable, writable }: Permissions,
): Refused | undefined =>
  readable ||
  writable ||
  table.domains.every((id) => hwptAt(context, id)?.domain.mapsWithoutPermission)
    ? undefined
    : refused(domainsRules.noPermission);

const mapPart = (
  state: IommufdState,
  ioas: ObjectId,
  iova: bigint,
  part: AreaPart,
  permissions: Permissions,
): IommufdState | Refused => {
  const table = tableOf(state.context, ioas);
  const area: Area = {
    last: iova + part.length - 1n,
    pages: part.pages,
    startByte: part.startByte,
    readable: permissions.readable,
    writable: permissions.writable,
  };
  const before = pagesAt(state.context, part.pages);
  let pages = withAreaCount(before, before.areas + 1);
  let { memory } = state;
  if (table.domains.length > 0) {
    const { first, last } = pagesOfArea(iova, area);
    const pinned = pinRange(
      { pages, memory },
      first,
      last,
      unmappable(state.context, table, permissions),
    );
    if (isRefused(pinned)) return pinned;
    ({ pages, memory } = pinned);
  }
  const context = withTable(
    withPages(state.context, part.pages, pages),
    ioas,
    withAreas(table, putArea(table.areas, iova, area)),
  );
  return { context, memory };
};

/**
 * Maps the parts one after another from `iova`, where there is room for them. Refused if memory cannot be pinned for
 * the domains; then nothing changes.
 */
export const mapParts = (
  state: IommufdState,
  ioas: ObjectId,
  iova: bigint,
  parts: readonly AreaPart[],
  permissions: Permissions,
): IommufdState | Refused => {
  let result = state;
  let at = iova;
  for (const part of parts) {
    const mapped = mapPart(result, ioas, at, part, permissions);
    if (isRefused(mapped)) return mapped;
    result = mapped;
    at += part.length;
  }
  return result;
};
