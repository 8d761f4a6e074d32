// SPDX-License-Identifier: MIT
// The places of a struct's fields, in the order in which a program writes them: those of the project's layout, as
// syzkaller describes the call.

import { LAYOUTS } from '../../model/programs/program.ts';
import type { Field } from '../../spec/abi/layout.ts';
import type { Description } from './descriptions.ts';

export type Slot = {
  readonly name: string;
  /** Bytes from the start of the struct. */
  readonly offset: number;
  readonly width: 2 | 4 | 8;
  readonly kind: Field['kind'];
  /** What it is where a program leaves it out. */
  readonly constant: bigint;
};

export type Slots = {
  readonly slots: readonly Slot[];
  /** Bytes of the struct. */
  readonly size: number;
};

const HALF = 4;

const slotsOf = (field: Field, { halves, numbers, constants }: Rest): readonly Slot[] => {
  const { name, offset, width } = field;
  const constant = constants?.[name] ?? 0n;
  if (name === halves) {
    return [
      { name: `${name}:area`, offset, width: HALF, kind: 'u32', constant },
      { name: `${name}:offset`, offset: offset + HALF, width: HALF, kind: 'u32', constant },
    ];
  }
  const kind = numbers?.includes(name) === true ? 'u64' : field.kind;
  return [{ name, offset, width, kind, constant }];
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
