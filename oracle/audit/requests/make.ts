// SPDX-License-Identifier: MIT
// Makes the operations of the audit's programs, and all requests with one or two values other than the default.

import {
  ARRAY_OFFSET,
  NO_ACCESS_OFFSET,
  READ_ONLY_STRUCT_OFFSET,
  STRUCT_OFFSET,
} from '../../../model/programs/arena.ts';
import type { Argument, Operation, Value } from '../../../model/programs/program.ts';

/** The address of structs. */
export const STRUCT: Value = { arena: STRUCT_OFFSET };
export const ARRAY: Value = { arena: ARRAY_OFFSET };
/** Addresses at which the kernel cannot write a dirty bitmap: the first can be read, the second cannot. */
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

/** The values of each field of a request; the first is the default. */
export type Choices = Readonly<Record<string, readonly Value[]>>;
export type Chosen = Readonly<Record<string, Value>>;

/** The request with those values, and each that differs from it in one value. */
export function* varyOne(choices: Choices, values: Chosen): Generator<Chosen> {
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

/** The requests with at most two values other than the default, in a fixed order: none, one, two. */
export function* varyTwo(choices: Choices): Generator<Chosen> {
  const names = Object.keys(choices);
  const defaults: Chosen = Object.fromEntries(
    names.map((name) => [name, choices[name]?.[0] as Value]),
  );
  const others = (name: string): readonly Value[] => (choices[name] ?? []).slice(1);
  yield defaults;
  for (const name of names) for (const value of others(name)) yield { ...defaults, [name]: value };
  for (const [index, first] of names.entries()) {
    for (const second of names.slice(index + 1)) {
      for (const one of others(first)) {
        for (const two of others(second)) yield { ...defaults, [first]: one, [second]: two };
      }
    }
  }
}
