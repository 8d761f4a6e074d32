// SPDX-License-Identifier: MIT
// Values of a program in C: numbers, arena addresses, and outputs of earlier calls.

import { REGIONS } from '../../model/programs/arena.ts';
import { LAYOUTS, type Operation, type Program, type Value } from '../../model/programs/program.ts';
import type { Field } from '../../spec/abi/layout.ts';
import { type HandleNames, handleNamesOf, valuesOf } from '../text/handle-names.ts';
import { extensionName, namedNumber, number } from './c-names.ts';
import { fieldType } from './c-structs.ts';
import { type CText, c, cHex, cName } from './c-text.ts';

/** "READ_ONLY_STRUCTS": what C calls a region of the arena. */
export const regionName = (name: string): CText =>
  cName(name.toUpperCase().replaceAll(/[ -]/g, '_'));

/** "DATA + 0x1000", of type unsigned long. */
export const placeText = (offset: bigint): CText => {
  const region = REGIONS.find(
    (each) => offset >= each.offset && offset < each.offset + each.length,
  );
  const name = region === undefined ? c`ARENA` : regionName(region.name);
  const rest = offset - (region?.offset ?? 0n);
  if (rest === 0n) return name;
  return rest < 0n ? c`${name} - ${cHex(-rest)}` : c`${name} + ${cHex(rest)}`;
};

/** An output of an operation that a later one uses. */
export type Capture = {
  readonly name: CText;
  readonly type: CText;
  /** The field that it is read from; the result where there is none. */
  readonly field: Field | undefined;
};

const keyOf = (index: number, out: string): string => `${index} ${out}`;

/** The field of an operation's output; 'nothing' if it has none of that name. */
const sourceOf = (operation: Operation, out: string): Field | 'result' | 'nothing' => {
  if (out === 'result') return 'result';
  if (operation.op !== 'ioctl' || operation.argument.kind !== 'struct') return 'nothing';
  const layout = LAYOUTS.get(operation.argument.layout);
  return layout?.fields.find(({ name }) => name === out) ?? 'nothing';
};

export class CValues {
  readonly #captures = new Map<number, Map<string, Capture>>();
  readonly #latest = new Map<string, number>();
  readonly #taken = new Set<string>();
  readonly #program: Program;

  constructor(program: Program) {
    this.#program = program;
    const names = handleNamesOf(program);
    program.forEach((operation, index) => {
      for (const value of valuesOf(operation)) {
        if (typeof value === 'object' && 'from' in value) this.#need(value.from, value.out, names);
      }
      this.#latest.set(operation.label, index);
    });
    this.#latest.clear();
  }

  #need(from: string, out: string, names: HandleNames): void {
    const index = this.#latest.get(from);
    const operation = index === undefined ? undefined : this.#program[index];
    if (index === undefined || operation === undefined) return;
    const source = sourceOf(operation, out);
    if (source === 'nothing') return;
    const captures = this.#captures.get(index) ?? new Map<string, Capture>();
    this.#captures.set(index, captures);
    if (captures.has(keyOf(index, out))) return;
    const reported = names.nameOf(from, out) ?? `${out}_of_${index + 1}`;
    const name = this.#taken.has(reported) ? `${reported}_of_${index + 1}` : reported;
    this.#taken.add(name);
    const field = source === 'result' ? undefined : source;
    captures.set(keyOf(index, out), {
      name: cName(name),
      type: field === undefined ? c`int` : field.width === 8 ? c`__u64` : fieldType(field),
      field,
    });
  }

  capturesOf(index: number): readonly Capture[] {
    return [...(this.#captures.get(index)?.values() ?? [])];
  }

  /** From now on the label means this operation. */
  passed(index: number, label: string): void {
    this.#latest.set(label, index);
  }

  /** The variable of an earlier operation's output; without one, the output is 0. */
  #handle(from: string, out: string): CText {
    const index = this.#latest.get(from);
    if (index === undefined) return c`0`;
    return this.#captures.get(index)?.get(keyOf(index, out))?.name ?? c`0`;
  }

  /** Whether the value is an output of an earlier operation. */
  isHandle(value: Value): boolean {
    return (
      typeof value === 'object' && 'from' in value && this.#handle(value.from, value.out) !== '0'
    );
  }

  /** A value of 64 bits. */
  wide(value: Value): CText {
    if (typeof value === 'bigint') return number(BigInt.asUintN(64, value));
    return 'arena' in value ? placeText(value.arena) : this.#handle(value.from, value.out);
  }

  /** An int: a descriptor. */
  descriptor(value: Value): CText {
    if (typeof value === 'bigint') return c`${BigInt.asIntN(32, value)}`;
    return 'arena' in value
      ? c`(int)(${placeText(value.arena)})`
      : this.#handle(value.from, value.out);
  }

  /** The argument of an ioctl that takes a value. */
  argument(command: number, value: Value): CText {
    if (typeof value !== 'bigint') return this.wide(value);
    const cut = BigInt.asUintN(64, value);
    return extensionName(command, value) ?? (cut < 10n ? c`${cut}UL` : c`${cHex(cut)}UL`);
  }

  field(layout: string, field: Field, value: Value): CText {
    if (typeof value === 'bigint') {
      const cut = BigInt.asUintN(field.width * 8, value);
      if (field.kind === 'fd') return c`${BigInt.asIntN(32, cut)}`;
      return namedNumber(layout, field.name, cut) ?? number(cut);
    }
    const text = this.wide(value);
    return 'arena' in value && field.width < 8 ? c`(${fieldType(field)})(${text})` : text;
  }
}
