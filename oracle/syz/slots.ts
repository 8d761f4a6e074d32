// SPDX-License-Identifier: MIT
// The places of a struct's fields, in the order in which a program writes them: those of the project's layout, as
// syzkaller describes the call.

import { LAYOUTS } from '../../model/programs/program.ts';
import { bytesOfHex } from '../../spec/abi/bytes-text.ts';
import type { Field } from '../../spec/abi/layout.ts';
import type { Description } from './descriptions.ts';

export type Slot = {
  readonly name: string;
  /** Bytes from the start of the struct. */
  readonly offset: number;
  readonly width: 1 | 2 | 4 | 8;
  readonly kind: Field['kind'];
  /** What it is where a program leaves it out. */
  readonly constant: bigint;
  /** What it points at where a program says nothing of it. */
  readonly pointee: Uint8Array;
  /** The program puts no number there. */
  readonly isOutput: boolean;
};

export type Slots = {
  readonly slots: readonly Slot[];
  /** Bytes of the struct. */
  readonly size: number;
};

const HALF = 4;
const NO_BYTES = new Uint8Array();

/** A place of no struct's field. */
export const placeOf = (name: string, offset: number, width: Slot['width']): Slot => ({
  name,
  offset,
  width,
  kind: 'u64',
  constant: 0n,
  pointee: NO_BYTES,
  isOutput: false,
});

const slotsOf = (field: Field, described: Rest): readonly Slot[] => {
  const { name, offset, width } = field;
  const { halves, numbers, constants, gives, outputs, pointees } = described;
  const slot: Slot = {
    ...placeOf(name, offset, width),
    kind: numbers?.includes(name) === true ? 'u64' : field.kind,
    constant: constants?.[name] ?? 0n,
    pointee: bytesOfHex(pointees?.[name] ?? '') ?? NO_BYTES,
    isOutput: gives?.includes(name) === true || outputs?.includes(name) === true,
  };
  if (name !== halves) return [slot];
  return [placeOf(`${name}:area`, offset, HALF), placeOf(`${name}:offset`, offset + HALF, HALF)];
};

type Rest = Partial<Omit<Description, 'name' | 'struct'>>;

/** Of the struct of that name; `described` is what syzkaller says of the call. Undefined where there is no such struct. */
export const structSlots = (struct: string, described: Rest = {}): Slots | undefined => {
  const layout = LAYOUTS.get(struct);
  if (layout === undefined) return undefined;
  const fields = layout.fields.slice(0, described.fields);
  const last = fields.at(-1);
  const isWhole = fields.length === layout.fields.length || last === undefined;
  return {
    slots: fields.flatMap((field) => slotsOf(field, described)),
    size: isWhole ? layout.size : last.offset + last.width,
  };
};
