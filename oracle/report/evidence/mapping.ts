// SPDX-License-Identifier: MIT
// Conditions for mapping memory: lengths, alignment, reserved ranges, existing areas, and permissions.

import { MAP_FIXED_IOVA, MAP_READABLE, MAP_WRITEABLE } from '../../../spec/abi/native.ts';
import { MOCK_FLAGS_ACCESS_SYZ } from '../../../spec/abi/test.ts';
import { U64_MAX } from '../../../spec/abi/units.ts';
import { atOrAfter, atOrBefore, sizeOf } from '../../../spec/collections/ordered-map.ts';
import { type Areas, areaAt, firstOverlapping } from '../../../spec/state/area.ts';
import { pagesAt, tableOf } from '../../../spec/state/context.ts';
import { overlapping } from '../../../spec/state/io-pagetable.ts';
import { hex, length, listed, range, size } from '../../text/quantities.ts';
import {
  type Condition,
  type Conditions,
  type Evidence,
  either,
  type Facts,
  flagsWithin,
  isGreatest,
  isNo,
  isZero,
  notZero,
  onlyIf,
  passed,
  wraps,
} from './condition.ts';

/** The fields with the length and the address of the memory, by call. */
const lengthField = ({ shape }: Facts): string =>
  shape.name === 'VFIO_IOMMU_MAP_DMA' ? 'size' : 'length';

const addressField = ({ shape }: Facts): string | undefined =>
  ({ VFIO_IOMMU_MAP_DMA: 'vaddr', IOMMU_IOAS_MAP: 'user_va', IOMMU_IOAS_MAP_FILE: 'start' })[
    shape.name
  ];

/** `what` is the name of the value with its number. */
const aligned = (facts: Facts, what: string, value: bigint): Evidence | undefined => {
  if (facts.table === undefined) return undefined;
  const { alignment } = facts.table;
  const over = value & (alignment - 1n);
  const fact =
    over === 0n
      ? `${what} is a multiple of the alignment, ${size(alignment)}`
      : `${what} is ${size(over)} more than a multiple of the alignment, ${size(alignment)}`;
  return { holds: over !== 0n, fact };
};

const lengthTooFine: Condition = (facts) => {
  const value = passed(facts, lengthField(facts));
  return value === 0n
    ? { holds: true, fact: `${lengthField(facts)} is 0` }
    : aligned(facts, `${lengthField(facts)} ${hex(value)}`, value);
};

const iovaTooFine: Condition = (facts) =>
  facts.span === undefined
    ? { holds: false, fact: 'the IOVA is left to the kernel' }
    : aligned(facts, `the IOVA ${hex(facts.span.start)}`, facts.span.start);

const offsetTooFine: Condition = (facts) => {
  const field = addressField(facts);
  if (field === undefined) return undefined;
  const offset = passed(facts, field) & 0xfffn;
  return aligned(facts, `${hex(offset)}, where ${field} lies in its page,`, offset);
};

/** The IOVAs of the call as a range, up to U64_MAX at most. */
export const rangeOf = ({ span }: Facts): { start: bigint; last: bigint } | undefined => {
  if (span === undefined || span.length === 0n) return undefined;
  const last = span.start + span.length - 1n;
  return { start: span.start, last: last > U64_MAX ? U64_MAX : last };
};

const reservers = (facts: Facts, start: bigint, last: bigint): string =>
  listed(
    (facts.table?.reserved ?? [])
      .filter((reserved) => reserved.start <= last && reserved.last >= start)
      .map(({ by }) =>
        by.kind === 'domain'
          ? `hwpt ${by.hwpt}'s aperture`
          : by.kind === 'device'
            ? `device ${by.device}`
            : 'the test command',
      ),
  );

const reserved: Condition = (facts) => {
  const wanted = rangeOf(facts);
  if (wanted === undefined || facts.table === undefined) return undefined;
  const { start, last } = wanted;
  const found = overlapping(facts.table.reservedSpans, start, last);
  return found === undefined
    ? { holds: false, fact: `${range(start, last)} meets no reserved range` }
    : {
        holds: true,
        fact: `${range(start, last)} meets ${range(found.start, found.last)}, reserved by ${reservers(facts, start, last)}`,
      };
};

/** The nearest areas, if none overlaps the range. */
const neighbours = (areas: Areas, start: bigint, last: bigint): string => {
  const before = start === 0n ? undefined : atOrBefore(areas, start - 1n);
  const after = last === U64_MAX ? undefined : atOrAfter(areas, last + 1n);
  const names = [before, after].flatMap((node) =>
    node === undefined ? [] : [range(node.key, node.value.last)],
  );
  return names.length === 0 ? '; nothing is mapped' : `; the nearest: ${listed(names)}`;
};

const overlaps: Condition = (facts) => {
  const wanted = rangeOf(facts);
  if (wanted === undefined || facts.table === undefined) return undefined;
  const { start, last } = wanted;
  const { areas } = facts.table;
  const found = firstOverlapping(areas, start, last);
  return found === undefined
    ? { holds: false, fact: `no area meets ${range(start, last)}${neighbours(areas, start, last)}` }
    : {
        holds: true,
        fact: `${range(start, last)} meets the area ${range(found.key, found.value.last)}`,
      };
};

const iovaWraps: Condition = ({ span }) =>
  span === undefined || span.length === 0n
    ? undefined
    : {
        holds: span.start + span.length - 1n > U64_MAX,
        fact: `the last IOVA is ${hex(span.start + span.length - 1n)}`,
      };

const addressWraps: Condition = (facts) => {
  const field = addressField(facts);
  if (field === undefined) return undefined;
  if (field === 'start') return { holds: false, fact: 'the memory is that of a file' };
  const end = passed(facts, field) + passed(facts, lengthField(facts));
  return { holds: end > U64_MAX, fact: `${field} + ${lengthField(facts)} is ${hex(end)}` };
};

/** The offset in the first page; the kernel rounds the sum up to pages. */
const pagesWrap: Condition = (facts) => {
  const field = addressField(facts);
  if (field === undefined) return undefined;
  const end = (passed(facts, field) & 0xfffn) + passed(facts, lengthField(facts));
  return {
    holds: end + 4095n > U64_MAX,
    fact: `the memory ends ${hex(end)} bytes after the start of its first page`,
  };
};

const noLength: Condition = (facts) => {
  const value = passed(facts, lengthField(facts));
  return {
    holds: value === 0n || value > U64_MAX - 4096n,
    fact: `${lengthField(facts)} is ${length(value)}`,
  };
};

const noPermission: Condition = (facts) => {
  const flags = Number(passed(facts, 'flags'));
  const none = (flags & (MAP_READABLE | MAP_WRITEABLE)) === 0;
  return { holds: none, fact: none ? 'neither is set' : 'at least one of them is set' };
};

const noPermissionForIommu: Condition = (facts) => {
  if (facts.shape.name !== 'VFIO_IOMMU_MAP_DMA') {
    return { holds: false, fact: 'a native map cannot have neither' };
  }
  const none = (Number(passed(facts, 'flags')) & 3) === 0;
  const domains = facts.table?.domains.length ?? 0;
  return {
    holds: none && domains > 0 ? undefined : false,
    fact: `${none ? 'neither READ nor WRITE is set' : 'READ or WRITE is set'}, and ${domains === 0 ? 'the IOAS has no domain' : 'the IOAS has a domain'}`,
  };
};

const noSpace: Condition = ({ table }) =>
  table === undefined
    ? undefined
    : {
        holds: undefined,
        fact: `${sizeOf(table.areas) === 0 ? 'nothing is mapped' : 'see the map below for what is free'}`,
      };

const choosesIova = (facts: Facts): boolean =>
  (Number(passed(facts, 'flags')) & MAP_FIXED_IOVA) === 0;

const tooLong: Condition = (facts) => {
  const value = passed(facts, lengthField(facts));
  return { holds: value >= U64_MAX / 2n, fact: `${lengthField(facts)} is ${length(value)}` };
};

const readOnlyPages: Condition = (facts) => {
  const from = facts.spans.find(({ what }) => what === 'the range to copy from');
  const writing = (Number(passed(facts, 'flags')) & MAP_WRITEABLE) !== 0;
  if (!writing) return { holds: false, fact: 'the area is not to be writable' };
  if (from === undefined || facts.context === undefined) {
    return { holds: false, fact: 'the memory is mapped for the first time' };
  }
  const node = areaAt(tableOf(facts.context, from.ioas).areas, from.start);
  if (node === undefined) return undefined;
  const { writable } = pagesAt(facts.context, node.value.pages);
  const how = writable ? 'writable' : 'without WRITEABLE';
  return { holds: !writable, fact: `the memory at ${hex(from.start)} was first mapped ${how}` };
};

const sourceNotMapped: Condition = (facts) => {
  const from = facts.spans.find(({ what }) => what === 'the range to copy from');
  if (from === undefined || facts.context === undefined || from.length === 0n) return undefined;
  const { areas } = tableOf(facts.context, from.ioas);
  const last = from.start + from.length - 1n;
  let at = from.start;
  while (at <= last) {
    const node = areaAt(areas, at);
    if (node === undefined) return { holds: true, fact: `nothing is mapped at ${hex(at)}` };
    at = node.value.last + 1n;
  }
  return { holds: false, fact: `all of ${range(from.start, last)} is mapped` };
};

const MAP_FLAGS = 7;
/** Test kernels accept it for COPY, and use src_iova differently then. */
const SYZ = MOCK_FLAGS_ACCESS_SYZ;

export const mappingConditions: Conditions = {
  'ioas-map/unknown-flags': either(flagsWithin('flags', MAP_FLAGS), notZero('__reserved')),
  'ioas-map/u64-max': isGreatest('iova', 'length'),
  'ioas-map/no-permission': noPermission,
  'ioas-map/no-ioas': isNo('ioas_id', 'ioas'),
  'ioas-map-file/unknown-flags': flagsWithin('flags', MAP_FLAGS),
  'ioas-map-file/u64-max': isGreatest('iova', 'length'),
  'ioas-map-file/no-permission': noPermission,
  'ioas-map-file/no-ioas': isNo('ioas_id', 'ioas'),
  'ioas-map-file/zero-length': isZero('length'),
  'ioas-map-file/wraps': wraps('start', 'length'),
  'ioas-copy/unknown-flags': flagsWithin('flags', MAP_FLAGS | SYZ),
  'ioas-copy/u64-max': isGreatest('length', 'src_iova', 'dst_iova'),
  'ioas-copy/no-permission': noPermission,
  'ioas-copy/no-source': isNo('src_ioas_id', 'ioas'),
  'ioas-copy/zero-length': isZero('length'),
  'ioas-copy/source-wraps': wraps('src_iova', 'length'),
  'ioas-copy/source-not-mapped': (facts) =>
    (Number(passed(facts, 'flags')) & SYZ) === 0 ? sourceNotMapped(facts) : undefined,
  'ioas-copy/no-destination': isNo('dst_ioas_id', 'ioas'),
  'compat-map-dma/unknown-flags': flagsWithin('flags', 3),
  'alloc-pages/address-wraps': addressWraps,
  'alloc-pages/length-out-of-range': noLength,
  'mapping/misaligned-length': lengthTooFine,
  'mapping/misaligned-iova': iovaTooFine,
  'mapping/wraps': iovaWraps,
  'mapping/reserved': reserved,
  'mapping/overlaps': overlaps,
  'mapping/read-only-pages': readOnlyPages,
  'mapping/misaligned-offset': offsetTooFine,
  'mapping/page-count-wraps': pagesWrap,
  'domains/no-permission': noPermissionForIommu,
  'choosing-iova/too-long': onlyIf(choosesIova, 'the IOVA is fixed', tooLong),
  'choosing-iova/misaligned-address': onlyIf(choosesIova, 'the IOVA is fixed', offsetTooFine),
  'choosing-iova/no-space': onlyIf(choosesIova, 'the IOVA is fixed', noSpace),
  'reserving/mapped': overlaps,
};
