// SPDX-License-Identifier: MIT
// The struct of an ioctl as a C variable with an initializer.

import { LAYOUTS, type Operation } from '../../model/programs/program.ts';
import type { Layout } from '../../spec/abi/layout.ts';
import { bytesLiteral } from './c-span.ts';
import { typeOf } from './c-structs.ts';
import { type CText, c, cHex, cName } from './c-text.ts';
import type { CValues } from './c-values.ts';

export type StructArgument = Extract<
  Extract<Operation, { op: 'ioctl' }>['argument'],
  { kind: 'struct' }
>;

export const layoutOf = (argument: StructArgument): Layout => {
  const layout = LAYOUTS.get(argument.layout);
  if (layout === undefined) throw new Error(`No struct is called ${argument.layout}.`);
  return layout;
};

export const tailOf = ({ tail }: StructArgument): Uint8Array => Buffer.from(tail ?? '', 'hex');

/** How many bytes of the struct itself are stored. */
export const shownOf = (argument: StructArgument): number =>
  Math.min(argument.length ?? layoutOf(argument).size, layoutOf(argument).size);

const members = (argument: StructArgument, name: CText, values: CValues): readonly CText[] => {
  const layout = layoutOf(argument);
  return layout.fields.flatMap((field) => {
    const value = argument.fields[field.name] ?? 0n;
    if (field.kind === 'size' || field.kind === 'argsz') {
      const text =
        value === BigInt(layout.size)
          ? c`sizeof(${name})`
          : values.field(argument.layout, field, value);
      return [c`.${cName(field.name)} = ${text},`];
    }
    if (value === 0n) return [];
    return [c`.${cName(field.name)} = ${values.field(argument.layout, field, value)},`];
  });
};

/** Declares the variable with its value for the call. `together`: with the bytes behind it, as `it` and `behind`. */
export const declaration = (
  argument: StructArgument,
  variable: CText,
  together: boolean,
  values: CValues,
): readonly CText[] => {
  const type = typeOf(argument.layout);
  if (type === 'int') {
    const fd = argument.fields.fd ?? 0n;
    return [c`int ${variable} = ${values.descriptor(fd)};`];
  }
  if (!together) {
    const inside = members(argument, variable, values);
    return inside.length === 0
      ? [c`${type} ${variable} = { 0 };`]
      : [c`${type} ${variable} = {`, ...inside.map((line) => c`\t${line}`), c`};`];
  }
  const tail = tailOf(argument);
  const same = tail.every((byte) => byte === tail[0]);
  const inside = members(argument, c`${variable}.it`, values);
  return [
    c`struct {`,
    c`\t${type} it;`,
    c`\t__u8 behind[${tail.length}];`,
    c`} ${variable} = {`,
    ...(inside.length === 0
      ? []
      : [c`\t.it = {`, ...inside.map((line) => c`\t\t${line}`), c`\t},`]),
    ...(same ? [] : [c`\t.behind = ${bytesLiteral(tail)},`]),
    c`};`,
    ...(same && (tail[0] ?? 0) !== 0
      ? [c`memset(${variable}.behind, ${cHex(tail[0] ?? 0)}, sizeof(${variable}.behind));`]
      : []),
  ];
};
