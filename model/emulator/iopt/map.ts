// SPDX-License-Identifier: MIT
// Makes areas of new pages, or of pages that another area has. drivers/iommu/iommufd/io_pagetable.c
// (iopt_map_pages, iopt_get_pages).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { PAGE_SIZE_BYTES, U64_MAX } from '../../../spec/abi/units.ts';
import { lastOf } from '../u64.ts';
import { chooseIova } from './alloc-iova.ts';
import { Area, type Permission } from './area.ts';
import { fillDomains, unfillDomains } from './fill.ts';
import type { IoPageTable } from './io-pagetable.ts';
import type { Pages } from './pages.ts';

/** A part of some pages, in bytes from their start. */
export type PagesPart = {
  readonly pages: Pages;
  readonly startByte: bigint;
  readonly length: bigint;
};

/** A fixed IOVA, or one that the kernel chooses. */
export type IovaChoice =
  | { readonly kind: 'fixed'; readonly iova: bigint }
  | { readonly kind: 'chosen' };

const checkFixed = (table: IoPageTable, iova: bigint, length: bigint): number => {
  if ((iova & (table.alignment - 1n)) !== 0n) return -ERRNO.EINVAL;
  const last = lastOf(iova, length);
  if (last === undefined) return -ERRNO.EOVERFLOW;
  const { defects } = table.kernel;
  const ignoresReserved = defects.has('reserved-ignored-when-allowed') && !table.allowed.empty;
  if (!ignoresReserved && table.reserved.meets(iova, last)) return -ERRNO.EINVAL;
  if (table.areas.first(iova, last) === undefined) return 0;
  return defects.has('wrong-errno-on-overlap') ? -ERRNO.EINVAL : -ERRNO.EEXIST;
};

const sourceAddress = ({ pages, startByte }: PagesPart): bigint => {
  const { source } = pages;
  if (source.kind === 'user') return source.address + startByte;
  return BigInt(source.page) * PAGE_SIZE_BYTES + startByte;
};

const findIova = (
  table: IoPageTable,
  parts: readonly PagesPart[],
  length: bigint,
  choice: IovaChoice,
): bigint | number => {
  if ((length & (table.alignment - 1n)) !== 0n || length === 0n) return -ERRNO.EINVAL;
  if (choice.kind === 'fixed') return checkFixed(table, choice.iova, length) || choice.iova;
  const iova = chooseIova(table, sourceAddress(parts[0] as PagesPart), length);
  if (typeof iova === 'number') return iova;
  return checkFixed(table, iova, length) === 0 ? iova : -ERRNO.EINVAL;
};

const makeArea = (
  table: IoPageTable,
  part: PagesPart,
  iova: bigint,
  permission: Permission,
): Area | number => {
  const { pages, startByte, length } = part;
  if (permission.writable && !pages.writable) {
    if (!table.kernel.defects.has('copy-ignores-permission')) return -ERRNO.EPERM;
  }
  if (((startByte % PAGE_SIZE_BYTES) & (table.alignment - 1n)) !== 0n) return -ERRNO.EINVAL;
  const last = startByte + length - 1n;
  if (last > U64_MAX || last / PAGE_SIZE_BYTES >= pages.count) return -ERRNO.EOVERFLOW;
  return new Area(pages, iova, iova + length - 1n, startByte, permission);
};

/**
 * Maps the parts one after the other. Returns the IOVA, or -errno with nothing changed. Takes over
 * one reference to each part's pages, and puts it on failure.
 */
export const mapParts = (
  table: IoPageTable,
  parts: readonly PagesPart[],
  length: bigint,
  choice: IovaChoice,
  permission: Permission,
): bigint | number => {
  const areas: Area[] = [];
  const iova = findIova(table, parts, length, choice);
  let error = typeof iova === 'number' ? iova : insertAreas(table, parts, iova, permission, areas);
  if (error === 0) error = fillAreas(table, areas);
  if (error === 0) return iova;
  for (const area of areas) table.areas.remove(area);
  for (const part of parts) part.pages.put();
  return error;
};

const insertAreas = (
  table: IoPageTable,
  parts: readonly PagesPart[],
  iova: bigint,
  permission: Permission,
  areas: Area[],
): number => {
  let start = iova;
  for (const part of parts) {
    const area = makeArea(table, part, start, permission);
    if (typeof area === 'number') return area;
    table.areas.insert(area);
    areas.push(area);
    start += part.length;
  }
  return 0;
};

const fillAreas = (table: IoPageTable, areas: readonly Area[]): number => {
  for (const area of areas) {
    const error = fillDomains(area, table.domains, table.smallPagesOnly);
    if (error === 0) continue;
    for (const filled of areas) {
      if (filled === area) break;
      unfillDomains(filled, table.domains);
    }
    return error;
  }
  return 0;
};

/** The pages that a span without holes maps, with a new reference to each part; or -errno. */
export const partsUnder = (
  table: IoPageTable,
  iova: bigint,
  length: bigint,
): PagesPart[] | number => {
  if (length === 0n) return -ERRNO.EINVAL;
  const last = lastOf(iova, length);
  if (last === undefined) return -ERRNO.EOVERFLOW;
  const areas = contiguousAreas(table, iova, last);
  if (areas === undefined) return -ERRNO.ENOENT;
  return areas.map(({ area, start, last: end }) => ({
    pages: area.pages.get(),
    startByte: area.startByte(start),
    length: end - start + 1n,
  }));
};

/** A span of one area, both ends inclusive. */
export type AreaPart = { readonly area: Area; readonly start: bigint; readonly last: bigint };

/** The areas that cover [iova, last] without a hole, or undefined. */
export const contiguousAreas = (
  table: IoPageTable,
  iova: bigint,
  last: bigint,
): AreaPart[] | undefined => {
  const parts: AreaPart[] = [];
  for (const part of leadingAreas(table, iova, last)) parts.push(part);
  return parts.at(-1)?.last === last ? parts : undefined;
};

/** The areas from `iova` up to the first hole, at most up to `last`. */
export function* leadingAreas(table: IoPageTable, iova: bigint, last: bigint): Generator<AreaPart> {
  let start = iova;
  let area = table.areas.first(start, start);
  while (area !== undefined) {
    if (area.last >= last) {
      yield { area, start, last };
      return;
    }
    yield { area, start, last: area.last };
    start = area.last + 1n;
    area = table.areas.first(start, start);
  }
}
