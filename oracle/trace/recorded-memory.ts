// SPDX-License-Identifier: MIT
// Moves the memory of a recording into a program's arena: adjacent spans stay together, and each address keeps
// its offset in the page.

import { ARENA_LENGTH, NO_ACCESS_LENGTH, NO_ACCESS_OFFSET } from '../../model/programs/arena.ts';
import type { Operation } from '../../model/programs/program.ts';
import { PAGE_SIZE_BYTES } from '../../spec/abi/units.ts';
import type { Protection } from '../../spec/terms/call.ts';
import type { RecordedMapping } from './recorded-mapping.ts';

/** Bytes from `start` to `last`, both inclusive, at page bounds. */
type Span = { readonly start: bigint; readonly last: bigint };

type Moved = Span & { readonly offset: bigint };

/** Longer spans are arguments that are meant to be refused; they are unchanged. */
const LONGEST = 1n << 30n;

/** Spans closer than this keep their distance. */
const NEAR = 1n << 16n;

/** After the last region of the arena; spans that do not fit lie after the arena. */
const FIRST_OFFSET = NO_ACCESS_OFFSET + NO_ACCESS_LENGTH + NEAR;
const BEHIND = 1n << 24n;

const pagesOf = (address: bigint, length: bigint): Span | undefined => {
  if (length === 0n || length > LONGEST || address + length > 1n << 63n) return undefined;
  const start = address - (address % PAGE_SIZE_BYTES);
  return { start, last: (address + length - 1n) | (PAGE_SIZE_BYTES - 1n) };
};

/** In ascending order; merges spans that overlap or are near each other. */
const joined = (spans: readonly Span[]): readonly Span[] => {
  const sorted = [...spans].sort((a, b) => (a.start < b.start ? -1 : 1));
  const result: Span[] = [];
  for (const { start, last } of sorted) {
    const before = result.at(-1);
    if (before !== undefined && start <= before.last + NEAR) {
      if (last > before.last) result[result.length - 1] = { start: before.start, last };
    } else {
      result.push({ start, last });
    }
  }
  return result;
};

/** The target of each span: an offset that equals the address modulo NEAR. */
const placed = (spans: readonly Span[]): readonly Moved[] => {
  let inside = FIRST_OFFSET;
  let behind = BEHIND;
  const alike = (offset: bigint, address: bigint): bigint =>
    offset + BigInt.asUintN(16, address - offset);
  return spans.map(({ start, last }) => {
    const length = last - start + 1n;
    const near = alike(inside, start);
    const fits = near + length <= ARENA_LENGTH;
    const offset = fits ? near : alike(behind, start);
    if (fits) inside = offset + length;
    else behind = offset + length;
    return { start, last, offset };
  });
};

const protectionOf = ({ readable, writable }: RecordedMapping): Protection =>
  writable ? 'read-write' : readable ? 'read' : 'none';

type Now = { readonly protection: Protection; readonly shared: boolean };

const sameMapping = (a: Now | undefined, b: Now | undefined): boolean =>
  a?.protection === b?.protection && a?.shared === b?.shared;

export class RecordedMemory {
  readonly #moved: readonly Moved[];
  /** The mapping of each page that was mapped so far, by its address. */
  readonly #mapped = new Map<bigint, Now>();

  /** `used` are all addresses and lengths that the program uses. */
  constructor(used: readonly { readonly address: bigint; readonly length: bigint }[]) {
    const spans = used.flatMap(({ address, length }) => pagesOf(address, length) ?? []);
    this.#moved = placed(joined(spans));
  }

  /** The arena offset of an address; undefined if the address is unchanged. */
  offsetOf(address: bigint): bigint | undefined {
    const found = this.#moved.find(({ start, last }) => start <= address && address <= last);
    return found === undefined ? undefined : found.offset + (address - found.start);
  }

  /** The operations that give the arena the mappings that the recording shows for a map. */
  *prepare(
    address: bigint,
    length: bigint,
    mappings: readonly RecordedMapping[],
    label: (what: string) => string,
  ): Generator<Operation> {
    const range = pagesOf(address, length);
    if (range === undefined || this.offsetOf(range.start) === undefined) return;
    const wantedAt = (page: bigint): Now | undefined => {
      const found = mappings.find(({ start, last }) => start <= page && page <= last);
      return found === undefined
        ? undefined
        : { protection: protectionOf(found), shared: found.shared };
    };
    let at = range.start;
    while (at <= range.last) {
      const end = this.#endOfLike(at, range.last, wantedAt);
      yield* this.#change(at, end, wantedAt(at), label);
      at = end + 1n;
    }
  }

  /** The operations that make a range readable and writable if the recording shows no mapping there. */
  *ensure(address: bigint, length: bigint, label: (what: string) => string): Generator<Operation> {
    const range = pagesOf(address, length);
    if (range === undefined || this.offsetOf(range.start) === undefined) return;
    const wanted: Now = { protection: 'read-write', shared: true };
    let at = range.start;
    while (at <= range.last) {
      const end = this.#endOfLike(at, range.last, (page) => this.#mapped.get(page));
      if (this.#mapped.get(at) === undefined) yield* this.#change(at, end, wanted, label);
      at = end + 1n;
    }
  }

  /** The last byte of the pages from `at` on with the same old and the same new mapping. */
  #endOfLike(at: bigint, last: bigint, wantedAt: (page: bigint) => Now | undefined): bigint {
    const now = this.#mapped.get(at);
    const wanted = wantedAt(at);
    let end = at + PAGE_SIZE_BYTES - 1n;
    while (end < last) {
      const next = end + 1n;
      if (!sameMapping(wantedAt(next), wanted) || !sameMapping(this.#mapped.get(next), now)) break;
      end += PAGE_SIZE_BYTES;
    }
    return end;
  }

  *#change(
    start: bigint,
    last: bigint,
    wanted: Now | undefined,
    label: (what: string) => string,
  ): Generator<Operation> {
    if (sameMapping(this.#mapped.get(start), wanted)) return;
    const offset = this.offsetOf(start) as bigint;
    const length = last - start + 1n;
    for (let page = start; page <= last; page += PAGE_SIZE_BYTES) {
      if (wanted === undefined) this.#mapped.delete(page);
      else this.#mapped.set(page, wanted);
    }
    if (wanted === undefined) {
      yield { op: 'munmap', label: label('munmap'), offset, length };
      return;
    }
    yield {
      op: 'mmap',
      label: label('mmap'),
      offset,
      length,
      ...wanted,
      backing: { kind: 'anonymous' },
    };
  }
}
