// SPDX-License-Identifier: MIT
// The mappings of a program, from a recording that shows every change of them. A page keeps its identity while it is
// mapped, and what was unmapped is known to be unmapped.

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
import { backingByAddress, fileBacking } from './recorded.ts';

/** Page-aligned; both ends inclusive. */
export type MemoryRange = { readonly start: bigint; readonly last: bigint };

/** The backing of a new mapping. A memory file has a number that is unique in the recording. */
export type EventBacking =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'memory-file'; readonly file: number; readonly offset: bigint }
  | { readonly kind: 'device' }
  /** Another file: it is not known whether its pages can be pinned. */
  | { readonly kind: 'file' };

export type EventMapping = MemoryRange & {
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

/** The memory with a new mapping, which replaces what was mapped there. */
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
        // The pages of a private mapping become private when they are written.
        const own = shared ? fileBacking(backing.file) : backingByAddress(process, false);
        const page = shared ? pageOf(backing.offset) : pageOf(start);
        return { ...common, kind: 'memory', backing: own, page };
      }
      case 'file':
        return {
          ...common,
          kind: 'memory',
          backing: backingByAddress(process, shared),
          page: pageOf(start),
        };
    }
  })();
  return withSpace(fresh.memory, process, mapped(spaceOf(memory, process), start, mapping));
};

export const withUnmapped = (
  memory: Memory,
  process: Process,
  { start, last }: MemoryRange,
): Memory => withSpace(memory, process, carved(spaceOf(memory, process), start, last));

/** The mappings in the range, clipped to it. */
function* piecesIn(space: AddressSpace, { start, last }: MemoryRange): Generator<Piece> {
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
  span: MemoryRange,
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
  span: MemoryRange,
  protection: Protection,
): Memory => withPieces(memory, process, span, ({ mapping }) => ({ ...mapping, protection }));

/** Private memory was discarded (madvise): new pages replace it. The pages of files stay. */
export const withDiscarded = (memory: Memory, process: Process, span: MemoryRange): Memory => {
  const fresh = withFresh(memory);
  return withPieces(fresh.memory, process, span, ({ start, mapping }) =>
    mapping.shared || mapping.kind === 'device'
      ? mapping
      : { ...mapping, backing: fresh.backing, page: pageIndex(pagesBetween(span.start, start)) },
  );
};

/** Pages may have been discarded: they are identified by address only. */
export const withDoubtful = (memory: Memory, process: Process, span: MemoryRange): Memory =>
  withPieces(memory, process, span, ({ start, mapping }) =>
    mapping.kind === 'device'
      ? mapping
      : { ...mapping, backing: backingByAddress(process, mapping.shared), page: pageOf(start) },
  );

/**
 * mremap(): the mappings of `from` move to `to`. If `to` is longer, the last one is extended. With `keeps`, `from`
 * stays mapped, with new private pages.
 */
export const withMoved = (
  memory: Memory,
  process: Process,
  from: MemoryRange,
  to: MemoryRange,
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
    // The pages of a file continue; private pages are new.
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

/** The memory of a new program (execve): these mappings and no others. */
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
 * The memory of a child (fork). It has the shared mappings of its parent. Of private memory it has a copy, and which
 * pages are still the parent's is not known.
 */
export const withChild = (memory: Memory, parent: Process, child: Process): Memory => {
  let space: AddressSpace;
  for (const { key, value } of nodesOf(spaceOf(memory, parent))) {
    if (value.shared) space = mapped(space, key, value);
  }
  return withSpace(memory, child, space);
};
