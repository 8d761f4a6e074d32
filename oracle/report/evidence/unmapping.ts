// SPDX-License-Identifier: MIT
// Conditions for unmapping IOVAs: the areas at the ends of the range, cuts, and the users of the table.

import { U64_MAX } from '../../../spec/abi/units.ts';
import { nodesOf, sizeOf } from '../../../spec/collections/ordered-map.ts';
import { isAccessed } from '../../../spec/iopt/access.ts';
import { areaAt, areaLength, byteOf, firstOverlapping } from '../../../spec/state/area.ts';
import { type CallContext, tableOfCall } from '../../decode/call-context.ts';
import { count, hex, listed, range, size } from '../../text/quantities.ts';
import {
  type Condition,
  type Conditions,
  type Evidence,
  type Facts,
  flagsWithin,
  isGreatest,
  isNo,
  onlyIf,
  passed,
} from './condition.ts';
import { rangeOf } from './mapping.ts';

type Met = { readonly areas: number; readonly bytes: bigint; readonly cut: string | undefined };

/** The areas that overlap a range, and the first that it covers only in part. */
const areasMet = (facts: Facts, start: bigint, last: bigint): Met | undefined => {
  if (facts.table === undefined) return undefined;
  let areas = 0;
  let bytes = 0n;
  let at = start;
  for (;;) {
    const node = firstOverlapping(facts.table.areas, at, last);
    if (node === undefined) return { areas, bytes, cut: undefined };
    if (node.key < at || node.value.last > last) {
      return { areas, bytes, cut: range(node.key, node.value.last) };
    }
    areas += 1;
    bytes += areaLength(node);
    if (node.value.last >= last) return { areas, bytes, cut: undefined };
    at = node.value.last + 1n;
  }
};

const everything = (facts: Facts): boolean =>
  (facts.shape.name === 'IOMMU_IOAS_UNMAP' &&
    passed(facts, 'iova') === 0n &&
    passed(facts, 'length') === U64_MAX) ||
  (facts.shape.name === 'VFIO_IOMMU_UNMAP_DMA' && passed(facts, 'flags') === 2n);

const wanted = (facts: Facts): { start: bigint; last: bigint } | undefined =>
  everything(facts) ? { start: 0n, last: U64_MAX } : rangeOf(facts);

const metBy = (
  facts: Facts,
  conclude: (met: Met, text: string) => Evidence,
): Evidence | undefined => {
  const span = wanted(facts);
  const met = span === undefined ? undefined : areasMet(facts, span.start, span.last);
  if (span === undefined || met === undefined) return undefined;
  return conclude(met, range(span.start, span.last));
};

/** How many of the first areas in the range have this total size; undefined if none or all have. */
export const firstAreasOf = (about: CallContext, bytes: bigint): number | undefined => {
  const table = tableOfCall(about);
  const [span] = about.spans;
  if (table === undefined || span === undefined || bytes === 0n) return undefined;
  const last = span.length === 0n ? U64_MAX : span.start + span.length - 1n;
  let areas = 0;
  let sum = 0n;
  for (const node of nodesOf(table.areas)) {
    if (node.key < span.start) continue;
    if (node.value.last > last) break;
    if (sum === bytes) return areas;
    areas += 1;
    sum += areaLength(node);
    if (sum > bytes) break;
  }
  return undefined;
};

const cutsArea: Condition = (facts) =>
  metBy(facts, ({ cut }, text) =>
    cut === undefined
      ? { holds: false, fact: `${text} cuts no area` }
      : { holds: true, fact: `${text} covers only a part of the area ${cut}` },
  );

const nothingMapped: Condition = (facts) =>
  metBy(facts, ({ areas, cut }, text) => ({
    holds: areas === 0 && cut === undefined,
    fact: areas === 0 && cut === undefined ? `no area meets ${text}` : `${text} meets areas`,
  }));

const held = (text: string, areas: number, bytes: bigint): string =>
  `${text} holds ${areas === 0 ? 'no area' : `${count(areas, 'area')}, ${size(bytes)} together`}`;

/** The bytes of areas in the range, if areas are cut at its ends. */
const partsMet = (facts: Facts, start: bigint, last: bigint): Evidence => {
  let areas = 0;
  let bytes = 0n;
  let node = firstOverlapping(facts.table?.areas, start, last);
  while (node !== undefined) {
    areas += 1;
    const from = node.key < start ? start : node.key;
    const to = node.value.last > last ? last : node.value.last;
    bytes += to - from + 1n;
    node = to === last ? undefined : firstOverlapping(facts.table?.areas, to + 1n, last);
  }
  return { holds: true, fact: held(range(start, last), areas, bytes) };
};

const unmaps: Condition = (facts) => {
  const span = wanted(facts);
  if (span !== undefined && cutsFirst(facts)) return partsMet(facts, span.start, span.last);
  return metBy(facts, ({ areas, bytes, cut }, text) => ({
    holds: cut === undefined,
    fact: held(text, areas, bytes),
  }));
};

/** The IOVAs after which UNMAP_DMA cuts: its last, and the one before its first. */
const cutsOf = (facts: Facts): readonly bigint[] => {
  const iova = passed(facts, 'iova');
  const last = BigInt.asUintN(64, iova + passed(facts, 'size') - 1n);
  return iova === 0n ? [last] : [last, iova - 1n];
};

/** The cuts that fall within an area. */
const realCuts = (facts: Facts) =>
  cutsOf(facts).flatMap((iova) => {
    const node = areaAt(facts.table?.areas, iova);
    return node === undefined || iova === node.value.last ? [] : [{ iova, node }];
  });

const cutting = (
  facts: Facts,
  conclude: (cuts: ReturnType<typeof realCuts>, where: string) => Evidence,
): Evidence | undefined => {
  if (facts.table === undefined) return undefined;
  if (!facts.table.largePagesDisabled) {
    return { holds: false, fact: 'large pages are not disabled, so that nothing is cut' };
  }
  const cuts = realCuts(facts);
  if (cuts.length === 0) return { holds: false, fact: 'the range ends within no area' };
  return conclude(cuts, listed(cuts.map(({ iova }) => `after ${hex(iova)}`)));
};

const cutTooFine: Condition = (facts) =>
  cutting(facts, (cuts, where) => {
    const alignment = facts.table?.alignment ?? 1n;
    const fine = cuts.some(
      ({ iova, node }) => (((iova + 1n) | byteOf(node, iova + 1n)) & (alignment - 1n)) !== 0n,
    );
    return { holds: fine, fact: `it cuts ${where}, and the alignment is ${size(alignment)}` };
  });

const cutAccessed: Condition = (facts) =>
  cutting(facts, (cuts, where) => {
    const { context, objects } = facts;
    const [ioas] = objects;
    const pinned =
      context !== undefined &&
      ioas !== undefined &&
      cuts.some(({ node }) => isAccessed(context, ioas, node));
    return {
      holds: pinned,
      fact: `it cuts ${where}; ${pinned ? 'an access has pinned a part' : 'no access has pinned any'} of the area`,
    };
  });

const cutLargePages: Condition = ({ table }) =>
  table === undefined
    ? undefined
    : {
        holds: false,
        fact: `large pages are ${table.largePagesDisabled ? 'disabled' : 'enabled, so that nothing is cut'}`,
      };

const filled: Condition = ({ table }) =>
  table === undefined
    ? undefined
    : {
        holds: table.domains.length > 0 && sizeOf(table.areas) > 0 && !table.largePagesDisabled,
        fact:
          `the IOAS has ${count(table.domains.length, 'domain')} and ${count(sizeOf(table.areas), 'area')}, and large pages ` +
          `${table.largePagesDisabled ? 'are disabled already' : 'are enabled'}`,
      };

const zeroLength: Condition = ({ span }) =>
  span === undefined
    ? undefined
    : { holds: span.length === 0n, fact: `the length is ${hex(span.length)}` };

const unmapWraps: Condition = ({ span }) =>
  span === undefined || span.length === 0n
    ? undefined
    : {
        holds: span.start + span.length - 1n > U64_MAX,
        fact: `the last IOVA is ${hex(span.start + span.length - 1n)}`,
      };

const allWithRange: Condition = (facts) => ({
  holds:
    passed(facts, 'flags') === 2n && (passed(facts, 'iova') !== 0n || passed(facts, 'size') !== 0n),
  fact: `ALL is ${passed(facts, 'flags') === 2n ? 'set' : 'not set'}, iova is ${hex(passed(facts, 'iova'))}, size is ${hex(passed(facts, 'size'))}`,
});

const ofRange = (condition: Condition): Condition =>
  onlyIf((facts) => !everything(facts), 'everything is unmapped', condition);

/** Before a range is unmapped, areas are cut at its ends. */
const cutsFirst = (facts: Facts): boolean =>
  facts.shape.name === 'VFIO_IOMMU_UNMAP_DMA' && facts.table?.largePagesDisabled === true;

const asked =
  (operation: (facts: Facts) => boolean) =>
  (condition: Condition): Condition =>
    onlyIf(operation, 'large pages are not asked to be disabled', condition);

const disablesLargePages = asked((facts) =>
  facts.shape.name === 'IOMMU_OPTION'
    ? passed(facts, 'option_id') === 1n &&
      passed(facts, 'op') === 0n &&
      passed(facts, 'val64') === 0n
    : facts.call.argument === 1n,
);

export const unmappingConditions: Conditions = {
  'ioas-unmap/no-ioas': isNo('ioas_id', 'ioas'),
  'ioas-unmap/u64-max': ofRange(isGreatest('iova', 'length')),
  'ioas-unmap/nothing-mapped': ofRange(nothingMapped),
  'ioas-unmap/unmaps': unmaps,
  'ioas-unmap/unmaps-all': unmaps,
  'compat-unmap-dma/unknown-flags': flagsWithin('flags', 2),
  'compat-unmap-dma/all-with-range': allWithRange,
  'compat-unmap-dma/unmaps': unmaps,
  'compat-unmap-dma/unmaps-all': unmaps,
  'unmapping/zero-length': ofRange(zeroLength),
  'unmapping/wraps': ofRange(unmapWraps),
  'unmapping/cuts-area': onlyIf(
    (facts) => !cutsFirst(facts),
    'areas are cut at the ends of the range first',
    cutsArea,
  ),
  'cutting/misaligned': cutTooFine,
  'cutting/accessed': cutAccessed,
  'cutting/large-pages': cutLargePages,
  'large-pages/filled': disablesLargePages(filled),
};
