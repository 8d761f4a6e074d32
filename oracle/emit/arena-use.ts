// SPDX-License-Identifier: MIT
// The parts of the arena that a program uses, and the protection of each page: a C file maps no more than that, and
// accesses no page that would kill it.

import { match, P } from 'ts-pattern';
import { ARENA_LENGTH, REGIONS, type Region } from '../../model/programs/arena.ts';
import { LAYOUTS, type Operation, type Program, type Value } from '../../model/programs/program.ts';
import type { Protection } from '../../spec/terms/call.ts';

const PAGE = 4096n;

/** Bytes from the arena's base, `end` exclusive. */
type Span = { readonly start: bigint; readonly end: bigint };

/** The arena offset of a value, or of a number in the arena; undefined for other numbers. */
export const offsetOf = (value: Value, base: bigint): bigint | undefined => {
  if (typeof value === 'object') return 'arena' in value ? value.arena : undefined;
  const offset = value - base;
  return offset > -ARENA_LENGTH && offset < ARENA_LENGTH ? offset : undefined;
};

type StructArgument = Extract<Extract<Operation, { op: 'ioctl' }>['argument'], { kind: 'struct' }>;

/** How far a struct's pointers may reach: the longest of its lengths. A handle may be any length. */
const reachOf = ({ layout, fields }: StructArgument): bigint => {
  let reach = PAGE;
  for (const { name, kind } of LAYOUTS.get(layout)?.fields ?? []) {
    if (kind !== 'length' && kind !== 'u32') continue;
    const value = fields[name] ?? 0n;
    const length = typeof value === 'bigint' ? value * (kind === 'u32' ? 16n : 1n) : ARENA_LENGTH;
    if (length > reach) reach = length;
  }
  return reach;
};

const spansOf = (operation: Operation, base: bigint): readonly Span[] => {
  const from = (value: Value, length: bigint): readonly Span[] => {
    const start = offsetOf(value, base);
    return start === undefined ? [] : [{ start, end: start + length }];
  };
  return match(operation)
    .with({ op: 'mmap' }, { op: 'munmap' }, ({ offset, length }) => from({ arena: offset }, length))
    .with({ op: 'dma' }, ({ look, length }) =>
      look === undefined ? [] : from({ arena: look }, BigInt(length)),
    )
    .with({ op: 'store' }, ({ offset, hex }) => from({ arena: offset }, BigInt(hex.length >> 1)))
    .with({ op: 'ioctl' }, ({ argument }) => {
      if (argument.kind === 'plain') return from(argument.value, PAGE);
      if (argument.kind === 'bytes') return from(argument.at, PAGE);
      const reach = reachOf(argument);
      return [
        ...from(argument.at, PAGE),
        ...Object.values(argument.fields).flatMap((value) => from(value, reach)),
        ...(argument.also ?? []).flatMap(({ at, words }) => [
          ...from(at, BigInt(words.length * 8)),
          ...words.flatMap((word) => from(word, reach)),
        ]),
      ];
    })
    .with({ op: P.union('open', 'close', 'memfd', 'status') }, () => [])
    .exhaustive();
};

const meet = (one: Span, other: Span): boolean => one.start < other.end && other.start < one.end;

const spanOf = ({ offset, length }: Region): Span => ({
  start: offset,
  end: offset + length,
});

/**
 * The regions that the program may touch. `withoutStructs` leaves out the structs, which are in variables
 * then.
 */
export const usedRegions = (
  program: Program,
  base: bigint,
  withoutStructs: boolean,
): readonly Region[] => {
  const spans = program.flatMap((operation) => spansOf(operation, base));
  // A map into a hole joins the adjacent regions.
  const bridges = program.some(
    (operation) =>
      operation.op === 'mmap' &&
      !REGIONS.some(
        (region) =>
          operation.offset >= region.offset &&
          operation.offset + operation.length <= region.offset + region.length,
      ),
  );
  return REGIONS.filter(
    (region) =>
      !(withoutStructs && region.offset === 0n) &&
      (bridges || spans.some((span) => meet(span, spanOf(region)))),
  );
};

/** Whether anything but structs that are put there for one call is at, or is read from, the structs' place. */
export const touchesStructs = (operation: Operation, base: bigint): boolean => {
  const structs = REGIONS[0];
  if (structs === undefined) return false;
  const others: Operation =
    operation.op === 'ioctl' && operation.argument.kind === 'struct'
      ? { ...operation, argument: { ...operation.argument, at: 0n } }
      : operation;
  return spansOf(others, base).some((span) => meet(span, spanOf(structs)));
};

/** The protection of each page of the arena while the program runs. */
export class ArenaPages {
  readonly #base: bigint;
  readonly #pages = new Map<bigint, Protection>();

  constructor(base: bigint) {
    this.#base = base;
    for (const { offset, length, protection } of REGIONS) this.map(offset, length, protection);
  }

  map(offset: bigint, length: bigint, protection: Protection): void {
    for (let page = offset / PAGE; page * PAGE < offset + length; page += 1n) {
      this.#pages.set(page, protection);
    }
  }

  unmap(offset: bigint, length: bigint): void {
    for (let page = offset / PAGE; page * PAGE < offset + length; page += 1n) {
      this.#pages.delete(page);
    }
  }

  /** How many of `length` bytes from the address on can be read before the first that cannot. */
  readable(address: bigint, length: number): number {
    return this.#reach(address, length, (protection) => protection !== 'none');
  }

  /** How many of them can be written by the program itself. */
  writable(address: bigint, length: number): number {
    return this.#reach(address, length, (protection) => protection === 'read-write');
  }

  #reach(address: bigint, length: number, allows: (protection: Protection) => boolean): number {
    const start = address - this.#base;
    const end = start + BigInt(length);
    let at = start;
    while (at < end) {
      const protection = at < 0n ? undefined : this.#pages.get(at / PAGE);
      if (protection === undefined || !allows(protection)) break;
      at = (at / PAGE + 1n) * PAGE;
    }
    return Number((at < end ? at : end) - start);
  }
}
