// SPDX-License-Identifier: MIT
// Laws of the I/O page table of every IOAS.

import { U64_MAX } from '../../spec/abi/units.ts';
import { requiredAlignment } from '../../spec/iopt/alignment.ts';
import { areaLength } from '../../spec/state/area.ts';
import { type IoPagetable, overlapping } from '../../spec/state/io-pagetable.ts';
import type { IovaRange } from '../../spec/terms/platform.ts';
import { type Contradiction, law, type WorldLaw } from './law.ts';
import { areasOf, firstOf, hex, type TableOf, tablesOf } from './worlds.ts';

const inEveryTable = (
  name: string,
  contradiction: (table: IoPagetable, of: TableOf) => Contradiction,
) =>
  law(name, (world) =>
    firstOf(
      tablesOf(world).map((of) => {
        const found = contradiction(of.table, of);
        return found === undefined ? undefined : `IOAS ${of.ioas}: ${found}`;
      }),
    ),
  );

/** Areas are in ascending order, each ends at or after its first IOVA, and no two share an IOVA. */
const areasAreApart = inEveryTable('areas are apart', (table) => {
  let end = -1n;
  for (const { key, value } of areasOf(table)) {
    if (key <= end) return `the area at ${hex(key)} meets the one before it`;
    if (value.last < key || value.last > U64_MAX)
      return `the area at ${hex(key)} ends at ${hex(value.last)}`;
    end = value.last;
  }
  return undefined;
});

/** No area has an IOVA that a device, a domain or a test reserved. */
const areasAvoidReserved = inEveryTable('areas avoid what is reserved', (table) =>
  firstOf(
    areasOf(table).map(({ key, value }) =>
      table.reserved.some(({ start, last }) => start <= value.last && key <= last)
        ? `the area at ${hex(key)} meets a reserved range`
        : undefined,
    ),
  ),
);

/** Every area starts, ends and has its page offset at a multiple of the table's alignment. */
const areasAreAligned = inEveryTable('areas are aligned', (table) =>
  firstOf(
    areasOf(table).map((node) => {
      const bits = node.key | areaLength(node) | (node.value.startByte & 4095n);
      return (bits & (table.alignment - 1n)) === 0n
        ? undefined
        : `the area at ${hex(node.key)} is not aligned to ${table.alignment}`;
    }),
  ),
);

/**
 * The alignment is a power of two of at most a page, and at least what the domains and accesses
 * need.
 */
const alignmentServesUsers = inEveryTable(
  'the alignment serves every user',
  (table, { context }) => {
    const { alignment } = table;
    if (alignment < 1n || alignment > 4096n || (alignment & (alignment - 1n)) !== 0n) {
      return `alignment ${alignment}`;
    }
    const required = requiredAlignment(context, table);
    return alignment >= required ? undefined : `alignment ${alignment} where ${required} is needed`;
  },
);

const contains = (ranges: readonly IovaRange[], iova: bigint): boolean =>
  ranges.some(({ start, last }) => start <= iova && iova <= last);

/**
 * The spans are the union of the reserved ranges: ascending, at least one IOVA apart, with the same
 * members.
 */
const spansAreTheUnion = inEveryTable(
  'reserved spans are the union of what is reserved',
  (table) => {
    const { reserved, reservedSpans } = table;
    let before: IovaRange | undefined;
    for (const span of reservedSpans) {
      if (before !== undefined && span.start <= before.last + 1n)
        return `a span at ${hex(span.start)} touches the one before it`;
      if (!contains(reserved, span.start) || !contains(reserved, span.last))
        return `nobody reserved an end of the span at ${hex(span.start)}`;
      if (span.start > 0n && contains(reserved, span.start - 1n))
        return `the span at ${hex(span.start)} starts too late`;
      if (span.last < U64_MAX && contains(reserved, span.last + 1n))
        return `the span at ${hex(span.start)} ends too early`;
      before = span;
    }
    const lost = reserved.find(({ start, last }) => {
      const span = overlapping(reservedSpans, start, last);
      return span === undefined || span.start > start || span.last < last;
    });
    return lost === undefined ? undefined : `no span holds the range at ${hex(lost.start)}`;
  },
);

/** Allowed ranges ascend, do not overlap, and overlap nothing reserved. */
const allowedAvoidReserved = inEveryTable(
  'allowed ranges are apart and avoid what is reserved',
  (table) => {
    let end = -1n;
    for (const { start, last } of table.allowed) {
      if (start <= end || last < start) return `the range at ${hex(start)} is out of order`;
      if (overlapping(table.reservedSpans, start, last) !== undefined)
        return `the range at ${hex(start)} meets a reserved one`;
      end = last;
    }
    return undefined;
  },
);

/** Every subtree of areas has the right first and last IOVA and largest hole, and is balanced. */
const measuresAreRight = inEveryTable(
  'subtrees of areas know their span and largest hole',
  ({ areas }) => {
    const nodes = areasOf({ areas } as IoPagetable);
    if (areas === undefined) return undefined;
    let hole = 0n;
    nodes.forEach((node, index) => {
      const before = nodes[index - 1];
      if (before === undefined) return;
      const between = node.key - before.value.last - 1n;
      if (between > hole) hole = between;
    });
    const { measure, size } = areas;
    if (size !== nodes.length) return `size ${size} of ${nodes.length} areas`;
    if (measure.first !== nodes[0]?.key || measure.last !== nodes.at(-1)?.value.last)
      return 'wrong span';
    return measure.hole === hole ? undefined : `largest hole ${measure.hole}, not ${hole}`;
  },
);

export const TABLE_LAWS: readonly WorldLaw[] = [
  areasAreApart,
  areasAvoidReserved,
  areasAreAligned,
  alignmentServesUsers,
  spansAreTheUnion,
  allowedAvoidReserved,
  measuresAreRight,
];
