// SPDX-License-Identifier: MIT
// Accesses of an IOAS: they pin ranges of it, and unpin what is unmapped. iommufd_access_pin_pages() and
// iommufd_access_notify_unmap() in drivers/iommu/iommufd/device.c.

import { type ObjectId, PAGE_SIZE_BYTES, U64_MAX } from '../abi/units.ts';
import { type AreaNode, type Areas, areaAt, byteOf, pageOfByte } from '../state/area.ts';
import {
  type Access,
  accessAt,
  type Context,
  pagesAt,
  tableOf,
  withObject,
  withPages,
} from '../state/context.ts';
import type { IommufdState } from '../state/iommufd-state.ts';
import { isRefused, type Refused, refused, refuses, rulesOf } from '../terms/rule.ts';
import { pinRange, unpinRange } from './pin-range.ts';

export const accessesRules = rulesOf(
  {
    id: 'accesses',
    title: 'accesses',
    source: 'iommufd_access_pin_pages() in drivers/iommu/iommufd/device.c',
  },
  {
    zeroLength: refuses('EINVAL', 'The length is 0.'),
    wraps: refuses('EOVERFLOW', 'The last IOVA exceeds U64_MAX.'),
    detached: refuses('ENOENT', 'The access is attached to no IOAS.'),
    misaligned: refuses(
      'EINVAL',
      'The part of an area to pin starts inside a page of its memory, or ends inside one before the range ends.',
      'iopt_area_contig_is_aligned() in drivers/iommu/iommufd/device.c',
    ),
    notPermitted: refuses(
      'EPERM',
      'The area does not permit what the access does, reading or writing.',
      'check_area_prot() in drivers/iommu/iommufd/device.c',
    ),
    readOnlyPages: refuses(
      'EPERM',
      'The access writes, and the memory was first mapped without WRITEABLE.',
      'iopt_area_add_access() in drivers/iommu/iommufd/pages.c',
    ),
    notMapped: refuses('ENOENT', 'An IOVA of the range is not mapped.'),
  },
);

/** The part of a range in one area. */
export type AreaSlice = {
  readonly node: AreaNode;
  readonly iova: bigint;
  /** Inclusive. */
  readonly last: bigint;
};

const lesser = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** The parts of [iova, last] in each area, up to the first gap. */
export function* slicesOf(areas: Areas, iova: bigint, last: bigint): Generator<AreaSlice> {
  let at = iova;
  for (;;) {
    const node = areaAt(areas, at);
    if (node === undefined) return;
    yield { node, iova: at, last: lesser(last, node.value.last) };
    if (node.value.last >= last) return;
    at = node.value.last + 1n;
  }
}

const overlaps = (pin: { iova: bigint; length: bigint }, start: bigint, last: bigint): boolean =>
  pin.iova <= last && pin.iova + pin.length - 1n >= start;

/** Whether an access has pinned a part of the area. */
export const isAccessed = (context: Context, ioas: ObjectId, node: AreaNode): boolean =>
  tableOf(context, ioas).accesses.some((id) =>
    accessAt(context, id)?.pins.some((pin) => overlaps(pin, node.key, node.value.last)),
  );

const unpinSlices = (
  state: IommufdState,
  areas: Areas,
  iova: bigint,
  last: bigint,
): IommufdState => {
  let { context, memory } = state;
  for (const slice of slicesOf(areas, iova, last)) {
    const { pages } = slice.node.value;
    const released = unpinRange(
      { pages: pagesAt(context, pages), memory },
      pageOfByte(byteOf(slice.node, slice.iova)),
      pageOfByte(byteOf(slice.node, slice.last)),
    );
    context = withPages(context, pages, released.pages);
    memory = released.memory;
  }
  return { context, memory };
};

/** Removes the pins of the access that overlap the range, and unpins their pages. */
export const withoutPinsIn = (
  state: IommufdState,
  id: ObjectId,
  start: bigint,
  last: bigint,
): IommufdState => {
  const access = accessAt(state.context, id);
  if (access?.ioas === undefined) return state;
  const gone = access.pins.filter((pin) => overlaps(pin, start, last));
  if (gone.length === 0) return state;
  const { areas } = tableOf(state.context, access.ioas);
  let result = state;
  for (const { iova, length } of gone) {
    result = unpinSlices(result, areas, iova, iova + length - 1n);
  }
  const pins = access.pins.filter((pin) => !overlaps(pin, start, last));
  return { context: withObject(result.context, id, { ...access, pins }), memory: result.memory };
};

/** Every access of the IOAS unpins what it has pinned in the range. */
export const withoutAccessPins = (
  state: IommufdState,
  ioas: ObjectId,
  start: bigint,
  last: bigint,
): IommufdState => {
  let result = state;
  for (const id of tableOf(state.context, ioas).accesses) {
    result = withoutPinsIn(result, id, start, last);
  }
  return result;
};

/** The IOAS and the last IOVA of a range to access, or why it is refused. */
export const rangeOfAccess = (
  access: Access,
  iova: bigint,
  length: bigint,
): { readonly ioas: ObjectId; readonly last: bigint } | Refused => {
  if (length === 0n) return refused(accessesRules.zeroLength);
  const last = iova + length - 1n;
  if (last > U64_MAX) return refused(accessesRules.wraps);
  return access.ioas === undefined ? refused(accessesRules.detached) : { ioas: access.ioas, last };
};

/** Whether the area permits an access to read, or to write. */
export const permits = (node: AreaNode, writing: boolean): boolean =>
  writing ? node.value.writable : node.value.readable;

const startsPage = (byte: bigint): boolean => byte % PAGE_SIZE_BYTES === 0n;

/** Whether the slice starts at a page boundary, and also ends at one unless the range ends in it. */
const isPageAligned = (slice: AreaSlice, last: bigint): boolean =>
  startsPage(byteOf(slice.node, slice.iova)) &&
  (last <= slice.node.value.last || startsPage(byteOf(slice.node, slice.node.value.last) + 1n));

/** Pins every page of the range for one more user. On refusal nothing changes. */
export const pinAccess = (
  state: IommufdState,
  ioas: ObjectId,
  iova: bigint,
  last: bigint,
  writing: boolean,
): IommufdState | Refused => {
  const { areas } = tableOf(state.context, ioas);
  let { context, memory } = state;
  let reached = false;
  for (const slice of slicesOf(areas, iova, last)) {
    const { node } = slice;
    if (!isPageAligned(slice, last)) return refused(accessesRules.misaligned);
    if (!permits(node, writing)) return refused(accessesRules.notPermitted);
    const pages = pagesAt(context, node.value.pages);
    if (writing && !pages.writable) return refused(accessesRules.readOnlyPages);
    const pinned = pinRange(
      { pages, memory },
      pageOfByte(byteOf(node, slice.iova)),
      pageOfByte(byteOf(node, slice.last)),
    );
    if (isRefused(pinned)) return pinned;
    context = withPages(context, node.value.pages, pinned.pages);
    memory = pinned.memory;
    reached = node.value.last >= last;
  }
  return reached ? { context, memory } : refused(accessesRules.notMapped);
};
