// SPDX-License-Identifier: MIT
// What the program does with its memory, from a recording that follows every mapping. Pages then keep
// their identity for as long as they are mapped, and what is gone is known to be gone.

import { PAGE_SIZE_BYTES, type PageIndex, pageIndex } from '../abi/units.ts';
import { atOrAfter, nodesOf } from '../collections/ordered-map.ts';
import {
  type AddressSpace,
  carved,
  type Mapping,
  mapped,
  mappingAt,
} from '../state/address-space.ts';
import { type Memory, spaceOf, withSpace } from '../state/memory.ts';
import type { Process, Protection } from '../terms/call.ts';
import { fileBacking, seenBacking } from './recorded.ts';

/** Whole pages; both ends inclusive. */
export type Span = { readonly start: bigint; readonly last: bigint };

/** The backing of a new mapping; a file of memory has a number that is its own in the recording. */
export type EventBacking =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'memory-file'; readonly file: number; readonly offset: bigint }
  | { readonly kind: 'device' }
  /** Another file: it is not known whether its pages can be pinned. */
  | { readonly kind: 'file' };

export type EventMapping = Span & {
  readonly protection: Protection;
  readonly shared: boolean;
  readonly backing: EventBacking;
};

const pagesBetween = (start: bigint, end: bigint): number =>
  Number((end - start) / PAGE_SIZE_BYTES);

const pageOf = (address: bigint): PageIndex => pageIndex(Number(address / PAGE_SIZE_BYTES));

const withFresh = (memory: Memory): { readonly memory: Memory; readonly backing: number } => ({
  memory: { ...memory, nextBacking: memory.nextBacking + 1 },
  backing: memory.nextBacking,
});

/** Something new is mapped; what was there is gone. */
export const withMapped = (
  memory: Memory,
  process: Process,
  { start, last, protection, shared, backing }: EventMapping,
): Memory => {
  const fresh = withFresh(memory);
  const common = { last, protection, shared };
  const mapping = ((): Mapping => {
    switch (backing.kind) {
      case 'anonymous':
      case 'device': {
        const kind = backing.kind === 'device' ? 'device' : 'memory';
        return { ...common, kind, backing: fresh.backing, page: pageIndex(0) };
      }
      case 'memory-file': {
        // A private mapping's pages become its own when they are written.
        const own = shared ? fileBacking(backing.file) : seenBacking(process, false);
        const page = shared ? pageOf(backing.offset) : pageOf(start);
        return { ...common, kind: 'memory', backing: own, page };
      }
      case 'file':
        return {
          ...common,
          kind: 'memory',
          backing: seenBacking(process, shared),
          page: pageOf(start),
        };
    }
  })();
  return withSpace(fresh.memory, process, mapped(spaceOf(memory, process), start, mapping));
};

export const withUnmapped = (memory: Memory, process: Process, { start, last }: Span): Memory =>
  withSpace(memory, process, carved(spaceOf(memory, process), start, last));

/** The mappings in the span, cut to it. */
function* piecesIn(space: AddressSpace, { start, last }: Span): Generator<Piece> {
  for (let at = start; at <= last; ) {
    const found = mappingAt(space, at);
    if (found === undefined) {
      const next = atOrAfter(space, at);
      if (next === undefined || next.key > last) return;
      at = next.key;
      continue;
    }
    const end = found.mapping.last < last ? found.mapping.last : last;
    const page = pageIndex(found.mapping.page + pagesBetween(found.start, at));
    yield { start: at, mapping: { ...found.mapping, last: end, page } };
    at = end + 1n;
  }
}

type Piece = { readonly start: bigint; readonly mapping: Mapping };

const withPieces = (
  memory: Memory,
  process: Process,
  span: Span,
  change: (piece: Piece) => Mapping,
): Memory => {
  let space = spaceOf(memory, process);
  for (const piece of [...piecesIn(space, span)]) {
    space = mapped(space, piece.start, change(piece));
  }
  return withSpace(memory, process, space);
};

export const withProtection = (
  memory: Memory,
  process: Process,
  span: Span,
  protection: Protection,
): Memory => withPieces(memory, process, span, ({ mapping }) => ({ ...mapping, protection }));

/** Private memory was given up: other pages are there from now on. Files keep theirs. */
export const withDiscarded = (memory: Memory, process: Process, span: Span): Memory => {
  const fresh = withFresh(memory);
  return withPieces(fresh.memory, process, span, ({ start, mapping }) =>
    mapping.shared || mapping.kind === 'device'
      ? mapping
      : { ...mapping, backing: fresh.backing, page: pageIndex(pagesBetween(span.start, start)) },
  );
};

/** Pages may have been given up, or not: they are known only by their address. */
export const withDoubtful = (memory: Memory, process: Process, span: Span): Memory =>
  withPieces(memory, process, span, ({ start, mapping }) =>
    mapping.kind === 'device'
      ? mapping
      : { ...mapping, backing: seenBacking(process, mapping.shared), page: pageOf(start) },
  );

/** mremap: what was at `from` is at `to`, and if that is longer, more of the same kind follows. */
export const withMoved = (
  memory: Memory,
  process: Process,
  from: Span,
  to: Span,
  keeps: boolean,
): Memory => {
  const pieces = [...piecesIn(spaceOf(memory, process), from)];
  let moved = keeps ? withDiscarded(memory, process, from) : withUnmapped(memory, process, from);
  moved = withUnmapped(moved, process, to);
  const fresh = withFresh(moved);
  let space = spaceOf(moved, process);
  let next = to.start;
  for (const { start, mapping } of pieces) {
    const at = to.start + (start - from.start);
    if (at > to.last) break;
    const end = at + (mapping.last - start);
    next = (end < to.last ? end : to.last) + 1n;
    space = mapped(space, at, { ...mapping, last: next - 1n });
  }
  const last = pieces.at(-1);
  if (last !== undefined && next <= to.last) {
    const { start, mapping } = last;
    // A file goes on; what is a program's own is new.
    const more =
      mapping.backing > 0
        ? { backing: fresh.backing, page: pageIndex(0) }
        : {
            backing: mapping.backing,
            page: pageIndex(mapping.page + pagesBetween(start, mapping.last + 1n)),
          };
    space = mapped(space, next, { ...mapping, ...more, last: to.last });
  }
  return withSpace(fresh.memory, process, space);
};

/** A new program: these mappings, and no other. */
export const withProgram = (
  memory: Memory,
  process: Process,
  mappings: readonly EventMapping[],
): Memory => {
  let result = withSpace(memory, process, undefined);
  for (const mapping of mappings) result = withMapped(result, process, mapping);
  return result;
};

/**
 * A child has what its parent shares with others. Of private memory it has a copy, and it is not known which pages
 * are still the parent's.
 */
export const withChild = (memory: Memory, parent: Process, child: Process): Memory => {
  let space: AddressSpace;
  for (const { key, value } of nodesOf(spaceOf(memory, parent))) {
    if (value.shared) space = mapped(space, key, value);
  }
  return withSpace(memory, child, space);
};
