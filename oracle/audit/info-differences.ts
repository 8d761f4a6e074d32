// SPDX-License-Identifier: MIT
// Differences between two answers of GET_INFO: the struct's fields, the order of the capabilities, what each of them
// reports, and bytes that only one side writes.

import { decode } from '../../spec/abi/layout.ts';
import { IOVA_RANGE } from '../../spec/abi/native.ts';
import {
  CAP_DMA_AVAIL_ID,
  CAP_IOVA_RANGE_ID,
  CAP_MIGRATION_ID,
  VFIO_CAP_DMA_AVAIL,
  VFIO_INFO_CAP_HEADER,
  VFIO_IOMMU_TYPE1_INFO,
} from '../../spec/abi/vfio.ts';
import { hex, range } from '../text/quantities.ts';
import type { DifferenceKind } from './answer-difference.ts';
import { UNTOUCHED } from './requests/container.ts';

const NAMES: ReadonlyMap<number, string> = new Map([
  [CAP_IOVA_RANGE_ID, 'IOVA_RANGE'],
  [CAP_MIGRATION_ID, 'MIGRATION'],
  [CAP_DMA_AVAIL_ID, 'DMA_AVAIL'],
]);

type Capability = {
  readonly name: string;
  readonly version: number;
  readonly reports: string;
  /** The bytes between its end and the next multiple of eight. */
  readonly padding: string;
};

const view = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** What the capability at that offset reports after its header. */
const reportsOf = (id: number, bytes: Uint8Array, at: number): string => {
  const from = at + VFIO_INFO_CAP_HEADER.size;
  const data = view(bytes);
  if (id === CAP_DMA_AVAIL_ID) return `avail ${data.getUint32(from, true)}`;
  if (id === CAP_MIGRATION_ID) {
    const [sizes, greatest] = [
      data.getBigUint64(from + 8, true),
      data.getBigUint64(from + 16, true),
    ];
    return `flags ${data.getUint32(from, true)}, pgsize_bitmap ${hex(sizes)}, max_dirty_bitmap_size ${hex(greatest)}`;
  }
  const ranges = Array.from({ length: data.getUint32(from, true) }, (_, index) => {
    const reported = bytes.subarray(from + 8 + index * IOVA_RANGE.size);
    const { start, last } = decode(IOVA_RANGE, reported);
    return range(start, last);
  });
  return ranges.length === 0 ? 'no range' : ranges.join(', ');
};

/** Only the size of DMA_AVAIL is no multiple of eight. */
const paddingOf = (id: number, bytes: Uint8Array, at: number): string => {
  if (id !== CAP_DMA_AVAIL_ID) return 'none';
  const padding = bytes.subarray(at + VFIO_CAP_DMA_AVAIL.size, at + VFIO_CAP_DMA_AVAIL.size + 4);
  if (padding.every((byte) => byte === UNTOUCHED)) return 'left untouched';
  return Buffer.from(padding).toString('hex');
};

/** A longer chain has a loop. */
const MOST = 8;

/** The chain from that offset on, as far as it is within the bytes. */
const chainFrom = (bytes: Uint8Array, first: number): readonly Capability[] => {
  const chain: Capability[] = [];
  let at = first;
  while (at !== 0 && at + VFIO_INFO_CAP_HEADER.size <= bytes.length && chain.length < MOST) {
    const { id, version, next } = decode(VFIO_INFO_CAP_HEADER, bytes.subarray(at));
    chain.push({
      name: NAMES.get(id) ?? `${id}`,
      version,
      reports: reportsOf(id, bytes, at),
      padding: paddingOf(id, bytes, at),
    });
    at = next;
  }
  return chain;
};

const orderOf = (chain: readonly Capability[], among: readonly Capability[]): string =>
  chain
    .map(({ name }) => name)
    .filter((name) => among.some((other) => other.name === name))
    .join(', ');

function* capabilityDifferences(
  legacy: readonly Capability[],
  compat: readonly Capability[],
): Generator<DifferenceKind> {
  for (const name of new Set([...legacy, ...compat].map((capability) => capability.name))) {
    const one = legacy.find((capability) => capability.name === name);
    const other = compat.find((capability) => capability.name === name);
    const what = `capability ${name}`;
    if (one === undefined || other === undefined) {
      const words = (present: Capability | undefined): string =>
        present === undefined ? 'absent' : present.reports;
      yield { what, legacy: words(one), compat: words(other) };
    } else if (one.reports !== other.reports) {
      yield { what: `${what}: what it reports`, legacy: one.reports, compat: other.reports };
    } else if (one.version !== other.version) {
      yield { what: `${what}: version`, legacy: `${one.version}`, compat: `${other.version}` };
    }
    if (one !== undefined && other !== undefined && one.padding !== other.padding) {
      yield { what: `${what}: padding`, legacy: one.padding, compat: other.padding };
    }
  }
  const [one, other] = [orderOf(legacy, compat), orderOf(compat, legacy)];
  if (one !== other) yield { what: 'order of the capabilities', legacy: one, compat: other };
}

const isTouched = (bytes: Uint8Array, from: number): boolean =>
  bytes.subarray(from).some((byte) => byte !== UNTOUCHED);

/** The capability that follows the struct, chained or not. */
const firstAfter = (bytes: Uint8Array): string => {
  const { id } = decode(VFIO_INFO_CAP_HEADER, bytes.subarray(VFIO_IOMMU_TYPE1_INFO.size));
  return NAMES.get(id) ?? `${id}`;
};

/** Bytes after the struct that a side wrote although it reported no chain. */
function* strayDifferences(legacy: Uint8Array, compat: Uint8Array): Generator<DifferenceKind> {
  const end = VFIO_IOMMU_TYPE1_INFO.size;
  const [one, other] = [isTouched(legacy, end), isTouched(compat, end)];
  if (one && other) {
    const [first, second] = [firstAfter(legacy), firstAfter(compat)];
    if (first !== second) {
      yield { what: 'capability written before the fault', legacy: first, compat: second };
    }
  }
  if (one === other) return;
  const words = (touched: boolean): string => (touched ? 'written in part' : 'left untouched');
  yield {
    what: 'bytes behind the struct without a chain',
    legacy: words(one),
    compat: words(other),
  };
}

/** The four bytes of padding in the struct. */
const PADDING = { from: 20, end: 24 } as const;

export function* infoDifferences(
  legacy: Uint8Array,
  compat: Uint8Array,
): Generator<DifferenceKind> {
  const [one, other] = [
    decode(VFIO_IOMMU_TYPE1_INFO, legacy),
    decode(VFIO_IOMMU_TYPE1_INFO, compat),
  ];
  for (const name of ['argsz', 'flags', 'iova_pgsizes', 'cap_offset'] as const) {
    if (one[name] === other[name]) continue;
    yield { what: name, legacy: hex(one[name]), compat: hex(other[name]) };
  }
  const padding = (bytes: Uint8Array): string =>
    Buffer.from(bytes.subarray(PADDING.from, PADDING.end)).toString('hex');
  if (padding(legacy) !== padding(compat)) {
    yield { what: 'padding', legacy: padding(legacy), compat: padding(compat) };
  }
  // A kernel's chain begins at 24, directly after the struct.
  const chained = (offset: number): boolean => offset === VFIO_IOMMU_TYPE1_INFO.size;
  if (chained(one.cap_offset) && chained(other.cap_offset)) {
    yield* capabilityDifferences(
      chainFrom(legacy, one.cap_offset),
      chainFrom(compat, other.cap_offset),
    );
  } else if (!chained(one.cap_offset) && !chained(other.cap_offset)) {
    yield* strayDifferences(legacy, compat);
  }
}
