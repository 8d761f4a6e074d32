// SPDX-License-Identifier: MIT
// Operations of the audit's programs, and every two of a request's values away from a plain one.

import {
  ARRAY_OFFSET,
  NO_ACCESS_OFFSET,
  READ_ONLY_STRUCT_OFFSET,
  STRUCT_OFFSET,
} from '../../../model/programs/arena.ts';
import type { Argument, Operation, Value } from '../../../model/programs/program.ts';

/** Where structs are. */
export const STRUCT: Value = { arena: STRUCT_OFFSET };
export const ARRAY: Value = { arena: ARRAY_OFFSET };
/** Addresses at which a dirty bitmap cannot be reported: one can be read, the other cannot even be that. */
export const UNWRITABLE_BITMAPS: readonly Value[] = [
  { arena: READ_ONLY_STRUCT_OFFSET },
  { arena: NO_ACCESS_OFFSET },
];

export const resultOf = (label: string): Value => ({ from: label, out: 'result' });

export const ioctl = (
  label: string,
  fd: Value,
  command: number,
  argument: Argument,
): Operation => ({ op: 'ioctl', label, fd, command, argument });

/** A call whose argument is a number. */
export const plain = (label: string, fd: Value, command: number, value: Value): Operation =>
  ioctl(label, fd, command, { kind: 'plain', value });

/** Values of one request by name; the first of each is the plain one. */
export type Choices = Readonly<Record<string, readonly Value[]>>;
export type Chosen = Readonly<Record<string, Value>>;

/** The request with those values, and each that is otherwise in one more. */
export function* upToOneOff(choices: Choices, values: Chosen): Generator<Chosen> {
  const names = Object.keys(choices);
  const first: Chosen = {
    ...Object.fromEntries(names.map((name) => [name, choices[name]?.[0] as Value])),
    ...values,
  };
  yield first;
  for (const name of names) {
    for (const value of choices[name] ?? []) {
      if (value !== first[name]) yield { ...first, [name]: value };
    }
  }
}

/**
 * Every request in which at most two values are other than plain, in a fixed order: the plain one, those with one other
 * value, those with two.
 */
export function* upToTwoOff(choices: Choices): Generator<Chosen> {
  const names = Object.keys(choices);
  const plainOnes: Chosen = Object.fromEntries(
    names.map((name) => [name, choices[name]?.[0] as Value]),
  );
  const others = (name: string): readonly Value[] => (choices[name] ?? []).slice(1);
  yield plainOnes;
  for (const name of names) for (const value of others(name)) yield { ...plainOnes, [name]: value };
  for (const [index, first] of names.entries()) {
    for (const second of names.slice(index + 1)) {
      for (const one of others(first)) {
        for (const two of others(second)) yield { ...plainOnes, [first]: one, [second]: two };
      }
    }
  }
}
