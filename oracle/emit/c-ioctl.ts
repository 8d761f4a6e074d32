// SPDX-License-Identifier: MIT
// One ioctl as C: stores its struct and arrays, makes the call, and reads its output.

import { match } from 'ts-pattern';
import type { Operation } from '../../model/programs/program.ts';
import { fieldOf, type Layout } from '../../spec/abi/layout.ts';
import { VFIO_GROUP_GET_DEVICE_FD } from '../../spec/abi/vfio.ts';
import type { TracedStep } from '../trace/step-json.ts';
import type { ArenaPages } from './arena-use.ts';
import { commandName } from './c-names.ts';
import { bytesLiteral, putLines, textOf } from './c-span.ts';
import {
  declaration,
  layoutOf,
  type StructArgument,
  shownOf,
  tailOf,
} from './c-struct-argument.ts';
import { typeOf, variableOf } from './c-structs.ts';
import { type CText, c, cJoin, cName } from './c-text.ts';
import type { CValues } from './c-values.ts';

export type Ioctl = Extract<Operation, { op: 'ioctl' }>;

/** Memory of the call that the trace has, in the trace's order. */
export type TracedMemory = {
  readonly pointer: CText;
  readonly length: number;
  readonly layout?: Layout;
};

export type IoctlParts = {
  /** Before the call, in order. */
  readonly before: readonly CText[];
  /** The call itself, an expression. */
  readonly call: CText;
  /** How a field of the struct is read afterwards; undefined if it cannot be read. */
  readonly read: (field: string) => CText | undefined;
  readonly memory: readonly TracedMemory[];
};

export type Surroundings = {
  readonly values: CValues;
  readonly pages: ArenaPages;
  readonly base: bigint;
  /** Structs are in variables where the kernel sees no difference. */
  readonly inVariables: boolean;
  /** The expression of a device's name; undefined if it is in the file as a literal. */
  readonly device: (name: string) => CText | undefined;
};

const addressOf = (
  value: StructArgument['at'],
  step: TracedStep | undefined,
  base: bigint,
): bigint => {
  if (typeof value === 'bigint') return value;
  if ('arena' in value) return BigInt.asUintN(64, base + value.arena);
  return step?.call.kind === 'ioctl' ? step.call.argument : 0n;
};

const request = (operation: Ioctl, argument: CText, { values }: Surroundings): CText =>
  c`ioctl(${values.descriptor(operation.fd)}, ${commandName(operation.command)}, ${argument})`;

const structInVariable = (
  operation: Ioctl,
  argument: StructArgument,
  number: number,
  around: Surroundings,
): IoctlParts => {
  const variable = variableOf(argument.layout, number);
  const layout = layoutOf(argument);
  const tail = tailOf(argument);
  const together = tail.length > 0;
  const inside = together ? c`${variable}.it` : variable;
  return {
    before: declaration(argument, variable, together, around.values),
    call: request(operation, c`&${variable}`, around),
    read: (field) => (typeOf(argument.layout) === 'int' ? variable : c`${inside}.${cName(field)}`),
    memory: [{ pointer: c`&${variable}`, length: layout.size + tail.length, layout }],
  };
};

const structInArena = (
  operation: Ioctl,
  argument: StructArgument,
  number: number,
  around: Surroundings,
  step: TracedStep | undefined,
): IoctlParts => {
  const { values, pages, base } = around;
  const variable = variableOf(argument.layout, number);
  const layout = layoutOf(argument);
  const tail = tailOf(argument);
  const address = addressOf(argument.at, step, base);
  const pointer = values.wide(argument.at);
  const shown = shownOf(argument);
  const there = pages.readable(address, shown + tail.length);
  const struct = Math.min(there, shown);
  const behind = there - struct;
  const behindName = c`behind_${number}`;
  return {
    before: [
      ...(struct === 0 ? [] : declaration(argument, variable, false, values)),
      ...(there < shown + tail.length
        ? [c`/* ${there} of ${shown + tail.length} bytes: there is no memory for the others */`]
        : []),
      ...putLines(pages, address, pointer, c`&${variable}`, struct),
      ...(behind === 0
        ? []
        : [
            c`static const __u8 ${behindName}[] = ${bytesLiteral(tail.subarray(0, behind))};`,
            ...putLines(
              pages,
              address + BigInt(struct),
              c`${pointer} + ${struct}`,
              behindName,
              behind,
            ),
          ]),
    ],
    call: request(operation, pointer, around),
    read: (name) => {
      const field = fieldOf(layout, name);
      return field.offset + field.width > struct
        ? undefined
        : typeOf(argument.layout) === 'int'
          ? c`*(int *)(${pointer})`
          : c`((${typeOf(argument.layout)} *)(${pointer}))->${cName(name)}`;
    },
    memory: [{ pointer, length: there, layout }],
  };
};

const withWords = (
  parts: IoctlParts,
  argument: StructArgument,
  number: number,
  { values, pages, base }: Surroundings,
  step: TracedStep | undefined,
): IoctlParts => {
  const before = [...parts.before];
  const memory = [...parts.memory];
  (argument.also ?? []).forEach(({ at, words }, index) => {
    const address = addressOf(at, step, base);
    const pointer = values.wide(at);
    const there = pages.readable(address, words.length * 8);
    memory.push({ pointer, length: there });
    if (there === 0) return;
    const name = index === 0 ? c`words_${number}` : c`words_${number}_${index + 1}`;
    const isZero = words.every((word) => word === 0n);
    const texts = words.map((word) => values.wide(word));
    before.push(
      isZero
        ? c`__u64 ${name}[${words.length}] = { 0 };`
        : c`__u64 ${name}[] = { ${cJoin(texts, c`, `)} };`,
      ...putLines(pages, address, pointer, name, there),
    );
  });
  return { ...parts, before, memory };
};

const bytesParts = (
  operation: Ioctl,
  argument: Extract<Ioctl['argument'], { kind: 'bytes' }>,
  number: number,
  around: Surroundings,
  step: TracedStep | undefined,
): IoctlParts => {
  const { values, pages, base, inVariables } = around;
  const bytes = Buffer.from(argument.hex, 'hex');
  const text = textOf(bytes);
  const name = c`bytes_${number}`;
  const pointer = values.wide(argument.at);
  const nothing = (): undefined => undefined;
  const device = isName(operation)
    ? around.device(bytes.subarray(0, -1).toString('latin1'))
    : undefined;
  if (device !== undefined) {
    return { before: [], call: request(operation, device, around), read: nothing, memory: [] };
  }
  if (inVariables && isName(operation)) {
    return {
      before: [c`static const char ${name}[] = ${text ?? bytesLiteral(bytes)};`],
      call: request(operation, name, around),
      read: nothing,
      memory: [{ pointer: name, length: bytes.length }],
    };
  }
  const address = addressOf(argument.at, step, base);
  const there = pages.readable(address, bytes.length);
  return {
    before:
      there === 0
        ? []
        : [
            c`static const char ${name}[] = ${text ?? bytesLiteral(bytes)};`,
            ...putLines(pages, address, pointer, name, there),
          ],
    call: request(operation, pointer, around),
    read: nothing,
    memory: [{ pointer, length: there }],
  };
};

/** The kernel reads a device's name up to its zero byte, at any address. */
export const isName = ({ command, argument }: Ioctl): boolean =>
  command === VFIO_GROUP_GET_DEVICE_FD && argument.kind === 'bytes' && argument.hex.endsWith('00');

export const ioctlParts = (
  operation: Ioctl,
  number: number,
  around: Surroundings,
  isInVariable: boolean,
  step: TracedStep | undefined,
): IoctlParts => {
  const { argument, command } = operation;
  return match(argument)
    .with({ kind: 'plain' }, ({ value }) => ({
      before: [],
      call: request(operation, around.values.argument(command, value), around),
      read: () => undefined,
      memory: [],
    }))
    .with({ kind: 'bytes' }, (passed) => bytesParts(operation, passed, number, around, step))
    .with({ kind: 'struct' }, (struct) =>
      withWords(
        isInVariable
          ? structInVariable(operation, struct, number, around)
          : structInArena(operation, struct, number, around, step),
        struct,
        number,
        around,
        step,
      ),
    )
    .exhaustive();
};
