// SPDX-License-Identifier: MIT
// Smaller programs, the most promising first: without spans of operations, from long ones to single
// ones, and then with simpler values. Works on any program.

import type { Argument, Operation, Program, Value } from '../programs/program.ts';
import { closedSooner } from './close-sooner.ts';
import {
  fixedMaps,
  nativeProgram,
  withoutAndNumbered,
  withoutFile,
  withoutOwnMemory,
} from './simplify-calls.ts';

/** How far shrinking has come: what failed is not tried at once again. */
export type Progress =
  | {
      readonly phase: 'operations';
      /** How many operations are removed at a time, and from which index. */
      readonly size: number;
      readonly from: number;
      /** Whether something was removed since the last pass of this size began. */
      readonly found: boolean;
    }
  | { readonly phase: 'values'; readonly from: number };

export type Candidate = { readonly program: Program; readonly progress: Progress };

const without = (program: Program, from: number, size: number): Program => [
  ...program.slice(0, from),
  ...program.slice(from + size),
];

const half = (size: number): number => Math.max(1, size >> 1);

/**
 * Two operations that are useful only together, like making and destroying an object; tried in
 * short programs.
 */
const MOST_FOR_PAIRS = 16;

function* withoutPairs(program: Program): Generator<Candidate> {
  if (program.length > MOST_FOR_PAIRS) return;
  for (let later = program.length - 2; later > 0; later -= 1) {
    for (let earlier = later - 1; earlier >= 0; earlier -= 1) {
      const fewer = program.filter((_, index) => index !== later && index !== earlier);
      const progress = { phase: 'operations', size: 1, from: fewer.length, found: false } as const;
      yield { program: fewer, progress };
    }
  }
}

function* fewerOperations(
  program: Program,
  start: Extract<Progress, { phase: 'operations' }>,
): Generator<Candidate> {
  let { size, from, found } = start;
  for (;;) {
    // From the end, since later operations depend on earlier ones and not vice versa.
    for (let at = Math.min(from, program.length - size); at >= 0; at -= size) {
      if (program.length - size < 1) continue;
      yield {
        program: without(program, at, size),
        progress: { phase: 'operations', size, from: at - size, found: true },
      };
      if (at > 0 && at < size) at = size;
    }
    if (size === 1) {
      if (!found) {
        yield* withoutPairs(program);
        return;
      }
      found = false;
    } else {
      size = half(size);
    }
    from = program.length;
  }
}

const SIMPLE: readonly bigint[] = [0n, 1n, 4096n];

const simplerValues = (value: Value): readonly Value[] => {
  if (typeof value === 'bigint') {
    const smaller = SIMPLE.filter((simple) => simple < value);
    const pages = value - (value % 4096n);
    if (value <= 4096n) return smaller;
    const half = (value >> 1n) & ~0xfffn;
    return pages === value ? [...smaller, half] : [...smaller, pages, half];
  }
  if ('arena' in value) {
    const pages = value.arena - (value.arena % 4096n);
    return pages === value.arena ? [] : [{ arena: pages }];
  }
  return [];
};

function* simplerFields(
  fields: Readonly<Record<string, Value>>,
): Generator<Readonly<Record<string, Value>>> {
  for (const [name, value] of Object.entries(fields)) {
    for (const simpler of simplerValues(value)) yield { ...fields, [name]: simpler };
  }
}

function* simplerArguments(argument: Argument): Generator<Argument> {
  if (argument.kind === 'plain') {
    for (const value of simplerValues(argument.value)) yield { kind: 'plain', value };
    return;
  }
  if (argument.kind === 'bytes') return;
  const { tail, also, length, ...plain } = argument;
  if (tail !== undefined && tail !== '') {
    yield { ...argument, tail: '' };
    yield { ...argument, tail: tail.slice(0, (tail.length >> 2) << 1) };
  }
  if (length !== undefined) yield { ...plain, ...(also === undefined ? {} : { also }) };
  for (const fields of simplerFields(argument.fields)) yield { ...argument, fields };
  for (const [index, words] of (also ?? []).entries()) {
    for (const [at, word] of words.words.entries()) {
      for (const simpler of simplerValues(word)) {
        const changed = words.words.with(at, simpler);
        yield { ...argument, also: (also ?? []).with(index, { ...words, words: changed }) };
      }
    }
  }
}

function* simplerOperations(operation: Operation): Generator<Operation> {
  if (operation.op === 'ioctl') {
    for (const argument of simplerArguments(operation.argument)) yield { ...operation, argument };
  } else if ((operation.op === 'mmap' || operation.op === 'munmap') && operation.length > 4096n) {
    yield { ...operation, length: 4096n };
  }
}

/** From one operation on, and then those before it: a simplification may enable another. */
function* simplerParts(program: Program, from: number): Generator<Candidate> {
  for (let step = 0; step < program.length; step += 1) {
    const index = (from + step) % program.length;
    for (const operation of simplerOperations(program[index] as Operation)) {
      yield {
        program: program.with(index, operation),
        progress: { phase: 'values', from: index },
      };
    }
  }
}

/** The first step for a program of so many operations. */
export const startOfShrinking = (length: number): Progress => ({
  phase: 'operations',
  size: half(length),
  from: length,
  found: false,
});

/** The simpler programs, from which single operations may be removed again. */
function* simplerPrograms(simpler: Iterable<Program | undefined>): Generator<Candidate> {
  for (const program of simpler) {
    if (program === undefined || program.length === 0) continue;
    const single = { phase: 'operations', size: 1, from: program.length, found: false } as const;
    yield { program, progress: single };
  }
}

/** Smaller programs than this one, continuing after the one that was found last. */
export function* smallerPrograms(program: Program, progress: Progress): Generator<Candidate> {
  if (progress.phase === 'operations') {
    yield* fewerOperations(program, progress);
    yield* simplerPrograms([nativeProgram(program), withoutFile(program), ...fixedMaps(program)]);
    yield* simplerPrograms(withoutAndNumbered(program));
    yield* simplerPrograms(closedSooner(program));
  }
  yield* simplerParts(program, progress.phase === 'values' ? progress.from : 0);
  // A map may be longer than the arena's memory until it was made shorter.
  yield* simplerPrograms([withoutOwnMemory(program)]);
  if (progress.phase === 'operations') return;
  // With simpler values an operation may become useless.
  yield* fewerOperations(program, {
    phase: 'operations',
    size: 1,
    from: program.length,
    found: false,
  });
  yield* simplerPrograms(withoutAndNumbered(program));
  yield* simplerPrograms(closedSooner(program));
}
