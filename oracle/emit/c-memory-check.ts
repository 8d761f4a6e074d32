// SPDX-License-Identifier: MIT
// C that compares the memory of the last call with the trace: a copy with the expected bytes, and the comparison.

import { decode, fieldOf, type Layout } from '../../spec/abi/layout.ts';
import type { TracedStep } from '../trace/step-json.ts';
import type { Ioctl, IoctlParts, TracedMemory } from './c-ioctl.ts';
import { bytesLiteral, pointer } from './c-span.ts';
import { typeOf } from './c-structs.ts';
import { type CText, c, cComment, cHex, cName, cString } from './c-text.ts';
import type { CValues } from './c-values.ts';

/** Bytes that the call changed, in runs: fields by their name, others by their offset. */
const changesIn = (
  before: Uint8Array,
  after: Uint8Array,
  layout: Layout | undefined,
): readonly { readonly offset: number; readonly length: number; readonly field?: string }[] => {
  const changes: { offset: number; length: number; field?: string }[] = [];
  const length = Math.min(before.length, after.length);
  for (let at = 0; at < length; at += 1) {
    if (before[at] === after[at]) continue;
    const field = layout?.fields.find(
      ({ offset, width }) => at >= offset && at < offset + width && offset + width <= length,
    );
    if (field !== undefined) {
      changes.push({ offset: field.offset, length: field.width, field: field.name });
      at = field.offset + field.width - 1;
      continue;
    }
    const last = changes.at(-1);
    if (last !== undefined && last.field === undefined && last.offset + last.length === at) {
      changes[changes.length - 1] = { offset: last.offset, length: last.length + 1 };
    } else changes.push({ offset: at, length: 1 });
  }
  return changes;
};

export type MemoryCheck = {
  readonly before: readonly CText[];
  readonly after: readonly CText[];
  /** Expressions that are true if the memory is as in the trace. */
  readonly conditions: readonly CText[];
};

const NEW_DESCRIPTOR = /^out_.*fd$/;

/** The struct is in a variable: the copy has its type, and fields are set by their names. */
const typedCopy = (
  { pointer: source, layout }: TracedMemory,
  is: Uint8Array,
  changes: ReturnType<typeof changesIn>,
  values: CValues,
  structName: string,
): { readonly before: readonly CText[]; readonly address: CText } | undefined => {
  if (layout === undefined || layout.size !== is.length || typeOf(structName) === 'int') {
    return undefined;
  }
  const numbers = new Map(Object.entries(decode(layout, is)));
  return {
    address: c`&expected`,
    before: [
      c`${typeOf(structName)} expected;`,
      c`memcpy(&expected, ${source}, sizeof(expected));`,
      ...changes.flatMap(({ offset, length, field: name }) => {
        if (name === undefined) {
          return [...is.subarray(offset, offset + length)].map(
            (byte, index) => c`((__u8 *)&expected)[${offset + index}] = ${cHex(byte)};`,
          );
        }
        if (NEW_DESCRIPTOR.test(name)) return [];
        const value = BigInt(numbers.get(name) ?? 0);
        const text = values.field(structName, fieldOf(layout, name), value);
        return [c`expected.${cName(name)} = ${text};`];
      }),
    ],
  };
};

const rawCopy = (
  { pointer: source }: TracedMemory,
  name: CText,
  is: Uint8Array,
  changes: ReturnType<typeof changesIn>,
): { readonly before: readonly CText[]; readonly address: CText } => ({
  address: name,
  before: [
    c`unsigned char ${name}[${is.length}];`,
    c`memcpy(${name}, ${asPointer(source)}, sizeof(${name}));`,
    ...changes.flatMap(({ offset, length, field }) => {
      if (field !== undefined && NEW_DESCRIPTOR.test(field)) return [];
      const literal = bytesLiteral(is.subarray(offset, offset + length));
      const comment = field === undefined ? c`` : c` ${cComment(field)}`;
      return [c`memcpy(${name} + ${offset}, (const __u8[])${literal}, ${length});${comment}`];
    }),
  ],
});

const asPointer = (text: CText): CText =>
  text.startsWith('&') || /^bytes_/.test(text) ? text : pointer(text);

/** C that checks the memory after the last call against the trace. */
export const memoryCheck = (
  operation: Ioctl,
  parts: IoctlParts,
  step: TracedStep,
  values: CValues,
): MemoryCheck => {
  const before: CText[] = [];
  const after: CText[] = [];
  const conditions: CText[] = [];
  if (step.call.kind !== 'ioctl') return { before, after, conditions };
  const { memory } = step.call;
  const structName = operation.argument.kind === 'struct' ? operation.argument.layout : '';
  for (const [index, given] of parts.memory.entries()) {
    const was = memory[index]?.bytes ?? new Uint8Array();
    const is = step.observation.memory[index]?.bytes ?? new Uint8Array();
    const count = Math.min(given.length, was.length, is.length);
    if (count === 0) continue;
    const observed = is.subarray(0, count);
    const changes = changesIn(was.subarray(0, count), observed, given.layout);
    const name = index === 0 ? c`expected` : c`expected_${index + 1}`;
    const typed = given.pointer.startsWith('&')
      ? typedCopy(given, observed, changes, values, structName)
      : undefined;
    const copy = typed ?? rawCopy(given, name, observed, changes);
    before.push(...copy.before);
    for (const { offset, length, field } of changes) {
      if (field === undefined || !NEW_DESCRIPTOR.test(field)) continue;
      const target = c`(char *)${copy.address} + ${offset}`;
      after.push(c`memcpy(${target}, (char *)${asPointer(given.pointer)} + ${offset}, ${length});`);
      conditions.push(c`fcntl(${parts.read(field) ?? c`-1`}, F_GETFD) >= 0`);
    }
    const what =
      index > 0 ? 'the array' : given.layout === undefined ? 'the argument' : 'the struct';
    const address = asPointer(given.pointer);
    conditions.push(c`same_bytes(${cString(what)}, ${address}, ${copy.address}, ${count})`);
  }
  return { before, after, conditions };
};
