// SPDX-License-Identifier: MIT
// The memory that one call of a syzkaller program prepares: its struct, and what the struct's pointers point at. Arena
// offsets are bytes from the start of syzkaller's data area.

import type { Value } from '../../model/programs/program.ts';
import { BYTES_MAX } from '../trace/limits.ts';
import { addressOfNumber, OPEN_OFFSET, offsetOfNumber, offsetOfPointer } from './data-area.ts';
import { NotCarriedOver } from './not-carried-over.ts';
import type { Results } from './results.ts';
import { placeOf, type Slot, type Slots } from './slots.ts';
import { type Image, ImageBuilder } from './struct-image.ts';
import type { SyzArgument } from './tree.ts';

/** What a pointer of the struct points at. */
export type Pointed = {
  readonly offset: bigint;
  readonly image: Image;
  /** How many elements it has; 0 for bytes. */
  readonly count: number;
};

/** Chooses places of memory for which the program leaves them open, one after the other. */
export class OpenPlaces {
  #next = OPEN_OFFSET;

  /** Bytes from the area's start, a multiple of 64. */
  take(length: number): bigint {
    const offset = this.#next;
    this.#next += BigInt((Math.max(length, 1) + 63) & ~63);
    return offset;
  }
}

type Pointer = Extract<SyzArgument, { kind: 'pointer' }>;
type Data = Extract<SyzArgument, { kind: 'data' }>;

const NOTHING: Image = { bytes: new Uint8Array(), cells: [], named: [] };

/** Widths of the fields of an element behind a pointer. */
const ELEMENTS: Readonly<Record<string, readonly (4 | 8)[]>> = {
  allowed_iovas: [8, 8],
  data_uptr: [4, 4],
};

/** Fields whose automatic value is the length of what a pointer points at, in bytes or elements. */
const LENGTHS: Readonly<Record<string, readonly string[]>> = {
  length: ['user_va', 'uptr'],
  data_len: ['data_uptr'],
  num_iovas: ['allowed_iovas'],
  entry_num: ['data_uptr'],
};
const COUNTS = new Set(['num_iovas', 'entry_num']);

const ANY_WIDTHS: Readonly<Record<string, 1 | 2 | 4 | 8>> = {
  ANYRES8: 1,
  ANYRES16: 2,
  ANYRES32: 4,
  ANYRES64: 8,
  ANYPTR: 8,
  ANYPTR64: 8,
};

/** Bytes of a string, without making it. Throws NotCarriedOver. */
const lengthOfData = ({ bytes, length, isPacked }: Data): number => {
  if (isPacked) throw new NotCarriedOver('a compressed string is not read');
  const size = length ?? BigInt(bytes.length);
  if (size <= BYTES_MAX) return Number(size);
  throw new NotCarriedOver(`a string of more than ${BYTES_MAX} bytes is not read`);
};

/** The bytes of a string, as long as it says. Throws NotCarriedOver. */
export const bytesOfData = (data: Data): Uint8Array => {
  const whole = new Uint8Array(lengthOfData(data));
  whole.set(data.bytes.subarray(0, whole.length));
  return whole;
};

const NAMES: Readonly<Record<SyzArgument['kind'], string>> = {
  number: 'a number',
  nil: 'nil',
  auto: 'AUTO',
  result: 'a result',
  pointer: 'a pointer',
  data: 'a string',
  struct: 'a struct',
  array: 'an array',
  union: 'a union',
  named: 'a result',
};

const unexpected = ({ kind, column }: SyzArgument, what: string): NotCarriedOver =>
  new NotCarriedOver(`${NAMES[kind]} at character ${column} is in the place of ${what}`);

export class CallMemory {
  /** What the pointers of the struct point at, by the field's name. */
  readonly pointed = new Map<string, Pointed>();
  readonly #results: Results;
  readonly #places: OpenPlaces;

  constructor(results: Results, places: OpenPlaces) {
    this.#results = results;
    this.#places = places;
  }

  /** The address of a pointer whose content is so many bytes long. */
  addressOf({ address, column }: Pointer, length: number): bigint {
    if (address === undefined) return this.#places.take(length);
    const offset = offsetOfPointer(address);
    if (offset !== undefined) return offset;
    throw new NotCarriedOver(
      `the address 0x${address.toString(16)} at character ${column} is not in syzkaller's memory from 0x7f0000000000 on`,
    );
  }

  /** A number, or an address where it lies within the area. */
  addressOfNumber(value: bigint): Value {
    const offset = offsetOfNumber(value);
    return offset === undefined ? addressOfNumber(value) : { arena: offset };
  }

  /** The struct as it is written field by field, or as syzkaller's list of anything. Throws NotCarriedOver. */
  structImage(content: SyzArgument | undefined, isAny: boolean, { slots, size }: Slots): Image {
    if (content?.kind === 'data') return this.#bytesImage(content);
    if (isAny && content?.kind === 'array') return this.#anyImage(content.elements, slots);
    if (content === undefined || content.kind === 'nil') return this.#fieldsImage([], slots, size);
    if (content.kind === 'auto')
      return this.#fieldsImage(
        slots.map(() => content),
        slots,
        size,
      );
    if (content.kind !== 'struct') throw unexpected(content, 'a struct');
    return this.#fieldsImage(content.fields, slots, size);
  }

  /** Bytes without a struct's fields; undefined where there are others. */
  plainImage(content: SyzArgument, isAny: boolean): Image | undefined {
    if (content.kind === 'data') return this.#bytesImage(content);
    return isAny && content.kind === 'array' ? this.#anyImage(content.elements, []) : undefined;
  }

  #bytesImage(data: Data): Image {
    return { ...NOTHING, bytes: bytesOfData(data) };
  }

  #fieldsImage(fields: readonly SyzArgument[], slots: readonly Slot[], size: number): Image {
    const rest = fields.slice(slots.length);
    const [tail] = rest;
    // Behind the fields there may be bytes, or the capabilities that the kernel writes.
    const bytes = tail?.kind === 'data' ? bytesOfData(tail) : new Uint8Array();
    if (
      rest.some(({ kind }) => kind !== 'data' && kind !== 'struct') ||
      (bytes.length > 0 && rest.length > 1)
    ) {
      throw new NotCarriedOver(
        `the struct has ${fields.length} fields, and at most ${slots.length} are known`,
      );
    }
    const image = new ImageBuilder(size + bytes.length);
    image.putBytes(size, bytes);
    slots.forEach((slot, index) => {
      const field = fields[index];
      if (field === undefined) image.put(slot.offset, slot.width, this.#absent(slot));
      else if (field.kind !== 'auto') this.#putField(image, slot, field);
    });
    slots.forEach((slot, index) => {
      if (fields[index]?.kind === 'auto')
        image.put(slot.offset, slot.width, this.#auto(slot, size + bytes.length));
    });
    return image.image;
  }

  #absent({ name, kind, constant, pointee }: Slot): Value {
    if (kind !== 'address') return constant;
    this.#point(name, 0n, pointee);
    return { arena: 0n };
  }

  #point(name: string, offset: bigint, bytes: Uint8Array): void {
    this.pointed.set(name, { offset, image: { ...NOTHING, bytes }, count: 0 });
  }

  /** What syzkaller computes. */
  #auto(slot: Slot, size: number): bigint {
    if (slot.kind === 'size' || slot.kind === 'argsz') return BigInt(size);
    const of = LENGTHS[slot.name]
      ?.map((name) => this.pointed.get(name))
      .find((found) => found !== undefined);
    if (of === undefined) return slot.constant;
    return BigInt(COUNTS.has(slot.name) ? of.count : of.image.bytes.length);
  }

  #putField(image: ImageBuilder, slot: Slot, field: SyzArgument): void {
    if (field.kind === 'named') {
      image.name(field.name, slot.offset, slot.width);
      this.#putField(image, slot, field.value);
      return;
    }
    image.put(slot.offset, slot.width, this.#value(field, slot));
  }

  #value(field: SyzArgument, slot: Slot): Value {
    switch (field.kind) {
      case 'number':
        if (slot.isOutput) return 0n;
        return slot.kind === 'address' ? this.addressOfNumber(field.value) : field.value;
      case 'nil':
        return 0n;
      case 'result':
        return this.#results.value(field);
      case 'union':
        return field.value === undefined ? 0n : this.#value(field.value, slot);
      case 'pointer':
        if (slot.width === 8) return { arena: this.#follow(field, slot) };
        throw unexpected(field, `a number of ${slot.width} bytes`);
      default:
        throw unexpected(field, `a number of ${slot.width} bytes (${slot.name})`);
    }
  }

  /** Notes what is behind the pointer. */
  #follow(pointer: Pointer, { name, pointee }: Slot): bigint {
    const { content, isAny, length } = pointer;
    if (content === undefined && length === undefined && pointee.length > 0) {
      const offset = this.addressOf(pointer, pointee.length);
      this.#point(name, offset, pointee);
      return offset;
    }
    const elements = content?.kind === 'array' ? content.elements : [];
    const image = isAny ? this.#anyImage(elements, []) : this.#contentImage(content, name);
    const offset = this.addressOf(pointer, image.bytes.length);
    this.pointed.set(name, { offset, image, count: elements.length });
    return offset;
  }

  #contentImage(content: SyzArgument | undefined, name: string): Image {
    if (content === undefined || content.kind === 'nil') return NOTHING;
    if (content.kind === 'data') return this.#bytesImage(content);
    if (content.kind === 'union') return this.#contentImage(content.value, name);
    const widths = ELEMENTS[name];
    const all = content.kind === 'array' ? content.elements : [content];
    if (widths === undefined) throw unexpected(content, `bytes (${name})`);
    const size = widths.reduce<number>((sum, width) => sum + width, 0);
    const isWhole =
      content.kind === 'array' || (content.kind === 'struct' && content.fields.length > 1);
    const length = isWhole ? size * all.length : (widths[0] ?? 0);
    if (length > BYTES_MAX) throw new NotCarriedOver(`an array has at most ${BYTES_MAX} bytes`);
    const image = new ImageBuilder(length);
    all.forEach((element, index) => {
      this.#putElement(image, element, size * index, widths, name);
    });
    return image.image;
  }

  #putElement(
    image: ImageBuilder,
    element: SyzArgument,
    at: number,
    widths: readonly (4 | 8)[],
    name: string,
  ): void {
    if (element.kind !== 'struct') throw unexpected(element, `an element of ${name}`);
    let offset = at;
    element.fields.forEach((field, index) => {
      const width = widths[index];
      if (width === undefined) throw unexpected(field, `the end of an element of ${name}`);
      this.#putField(image, placeOf(name, offset, width), field);
      offset += width;
    });
  }

  #anyImage(elements: readonly SyzArgument[], slots: readonly Slot[]): Image {
    let length = 0;
    for (const element of elements) {
      length += anySize(element);
      if (length > BYTES_MAX) {
        throw new NotCarriedOver(`a list of anything has at most ${BYTES_MAX} bytes`);
      }
    }
    const image = new ImageBuilder(length);
    let at = 0;
    for (const element of elements) {
      this.#putAny(image, element, at, slots);
      at += anySize(element);
    }
    return image.image;
  }

  #putAny(image: ImageBuilder, element: SyzArgument, at: number, slots: readonly Slot[]): void {
    if (element.kind !== 'union') return;
    const { option, value } = element;
    const width = ANY_WIDTHS[option];
    if (value?.kind === 'data') image.putBytes(at, bytesOfData(value));
    if (width === undefined || value?.kind === 'data') return;
    if (value === undefined) {
      image.put(at, width, POINTERS.has(option) ? { arena: 0n } : NO_RESULT);
      return;
    }
    const name = slots.find(({ offset }) => offset === at)?.name ?? `byte ${at}`;
    this.#putField(image, placeOf(name, at, width), value);
  }
}

const POINTERS = new Set(['ANYPTR', 'ANYPTR64']);

/** What a result is that the list leaves out. */
const NO_RESULT = 0xffff_ffff_ffff_ffffn;

/** Bytes of an element of a list of anything. Throws NotCarriedOver. */
const anySize = (element: SyzArgument): number => {
  if (element.kind !== 'union') throw unexpected(element, 'an element of a list of anything');
  const { option, value } = element;
  const width = ANY_WIDTHS[option];
  if (width !== undefined && value?.kind !== 'data') return width;
  if (option === 'ANYBLOB' && value === undefined) return 0;
  if (option === 'ANYBLOB' && value?.kind === 'data') return lengthOfData(value);
  throw new NotCarriedOver(`"@${option}" at character ${element.column} is not carried over`);
};
