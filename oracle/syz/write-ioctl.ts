// SPDX-License-Identifier: MIT
// An ioctl as a call of a syzkaller program: by syzkaller's description of it, or as an ioctl with plain bytes where
// nothing in them is a result or an address.

import {
  type Argument,
  LAYOUTS,
  type Operation,
  type Value,
  type WordsInMemory,
} from '../../model/programs/program.ts';
import { putU16, putU32, putU64, zeroBytes } from '../../spec/abi/bytes.ts';
import { bytesOfHex, hexOf } from '../../spec/abi/bytes-text.ts';
import { U64_MAX } from '../../spec/abi/units.ts';
import * as vfio from '../../spec/abi/vfio.ts';
import { mayCommand } from '../safety/permitted.ts';
import { structPassed } from '../trace/recorded-structs.ts';
import { DESCRIPTIONS, type Description } from './descriptions.ts';
import { type Slot, structSlots } from './slots.ts';
import { address, number, RefusedSyz, type ResultNames } from './write-values.ts';

type Ioctl = Extract<Operation, { op: 'ioctl' }>;
type Struct = Extract<Argument, { kind: 'struct' }>;

/** Addresses that a pointer of syzkaller may be without memory of the program. */
const SPECIAL: readonly bigint[] = [0n, U64_MAX, 0x9999_9999_9999_9999n];

const PLAIN_CALLS: Readonly<Record<number, string>> = {
  [vfio.VFIO_GET_API_VERSION]: 'VFIO_GET_API_VERSION',
  [vfio.VFIO_CHECK_EXTENSION]: 'VFIO_CHECK_EXTENSION',
  [vfio.VFIO_SET_IOMMU]: 'VFIO_SET_IOMMU',
};

/** Pointers behind which the kernel only writes. */
const WRITTEN: ReadonlySet<string> = new Set([
  'IOMMU_IOAS_IOVA_RANGES',
  'IOMMU_GET_HW_INFO',
  'IOMMU_HWPT_GET_DIRTY_BITMAP',
]);

const isArena = (value: Value | undefined): value is { readonly arena: bigint } =>
  typeof value === 'object' && 'arena' in value;

const isResult = (
  value: Value | undefined,
): value is { readonly from: string; readonly out: string } =>
  typeof value === 'object' && 'from' in value;

const hexBytes = (hex: string): Uint8Array => bytesOfHex(hex) ?? new Uint8Array();

const wordBytes = (words: readonly Value[]): Uint8Array => {
  const bytes = zeroBytes(8 * words.length);
  words.forEach((word, index) => {
    if (typeof word !== 'bigint') throw new RefusedSyz('a result or an address is in an array.');
    putU64(bytes, 8 * index, BigInt.asUintN(64, word));
  });
  return bytes;
};

export class IoctlText {
  readonly #names: ResultNames;

  constructor(names: ResultNames) {
    this.#names = names;
  }

  /** The lines of the call. Throws RefusedSyz. */
  lines(operation: Ioctl): readonly string[] {
    const { argument, command, label } = operation;
    if (!mayCommand(command)) throw new RefusedSyz('its number is none of VFIO or iommufd.');
    if (this.#names.isUsed(label, 'result')) {
      throw new RefusedSyz('syzkaller gives no name to the result of an ioctl.');
    }
    switch (argument.kind) {
      case 'plain':
        return [this.#plain(operation, argument.value)];
      case 'bytes':
        return [this.#raw(operation, argument.at, hexBytes(argument.hex))];
      case 'struct':
        return this.#struct(operation, argument);
    }
  }

  #call(name: string, { fd, command }: Ioctl, rest: readonly string[]): string {
    return `${name}(${[this.#names.text(fd), number(BigInt(command >>> 0)), ...rest].join(', ')})`;
  }

  /** syzkaller has a call for each kind of file. */
  #isOfIommufd({ fd }: Ioctl): boolean {
    const operation = isResult(fd) ? this.#names.operation(fd.from) : undefined;
    return operation?.op === 'open' && operation.path === '/dev/iommu';
  }

  #plain(operation: Ioctl, value: Value): string {
    const name = PLAIN_CALLS[operation.command];
    const prefix = this.#isOfIommufd(operation) ? 'ioctl$IOMMU_' : 'ioctl$';
    if (name !== undefined && typeof value === 'bigint') {
      const isWithout = operation.command === vfio.VFIO_GET_API_VERSION;
      if (!isWithout) return this.#call(prefix + name, operation, [number(value)]);
      if (value === 0n) return this.#call(prefix + name, operation, []);
    }
    return this.#call('ioctl', operation, [this.#pointer(value)]);
  }

  #pointer(value: Value): string {
    if (isArena(value)) return `&(${address(value.arena)})`;
    if (typeof value === 'bigint' && SPECIAL.includes(BigInt.asUintN(64, value)))
      return number(value);
    throw new RefusedSyz(
      'an address is neither memory of the program nor one of those that syzkaller has.',
    );
  }

  #raw(operation: Ioctl, at: Value, bytes: Uint8Array): string {
    if (!isArena(at)) return this.#call('ioctl', operation, [this.#pointer(at)]);
    const content = bytes.length === 0 ? '' : `="${hexOf(bytes)}"`;
    return this.#call('ioctl', operation, [`&(${address(at.arena)})${content}`]);
  }

  #struct(operation: Ioctl, struct: Struct): readonly string[] {
    const { label } = operation;
    let why = `syzkaller has no description of ${struct.layout}.`;
    const candidates = DESCRIPTIONS.filter(
      (description) =>
        description.halves === undefined &&
        description.struct === struct.layout &&
        this.#isFor(description, operation),
    ).sort((one, other) => closeness(other, struct) - closeness(one, struct));
    for (const description of candidates) {
      try {
        return this.#described(operation, struct, description);
      } catch (error) {
        if (!(error instanceof RefusedSyz)) throw error;
        why = error.message;
      }
    }
    const layout = LAYOUTS.get(struct.layout);
    const gives = layout?.fields.some(({ name }) => this.#names.isUsed(label, name)) === true;
    const bytes = gives || (struct.also ?? []).length > 0 ? undefined : knownBytes(struct);
    if (bytes === undefined) throw new RefusedSyz(why);
    return [this.#raw(operation, struct.at, bytes)];
  }

  #isFor({ name, struct }: Description, operation: Ioctl): boolean {
    const head = knownHead(operation.argument as Struct);
    if (structPassed(operation.command, head) !== struct) return false;
    if (!struct.startsWith('VFIO_')) return true;
    return name.startsWith('ioctl$IOMMU_') === this.#isOfIommufd(operation);
  }

  #described(operation: Ioctl, struct: Struct, description: Description): readonly string[] {
    const parts = structSlots(struct.layout, description);
    const layout = LAYOUTS.get(struct.layout);
    if (parts === undefined || layout === undefined)
      throw new RefusedSyz('there is no such struct.');
    const { slots, size } = parts;
    requireLength(struct, layout.size, size);
    const unnamed = Object.entries(struct.fields).find(
      ([name, value]) => value !== 0n && !slots.some((slot) => slot.name === name),
    );
    if (unnamed !== undefined && layout.fields.some(({ name }) => name === unnamed[0])) {
      throw new RefusedSyz(`syzkaller's struct has no ${unnamed[0]}.`);
    }
    if (!isArena(struct.at))
      return [this.#call(description.name, operation, [this.#pointer(struct.at)])];
    const fills: string[] = [];
    const also = [...(struct.also ?? [])];
    const inside = slots.map((slot) =>
      this.#field(operation, struct, description, slot, also, fills),
    );
    if (also.length > 0)
      throw new RefusedSyz('memory is prepared to which no pointer of the struct points.');
    const tail = this.#tail(struct);
    const content = `{${[...inside, ...tail].join(', ')}}`;
    return [
      ...fills,
      this.#call(description.name, operation, [`&(${address(struct.at.arena)})=${content}`]),
    ];
  }

  /** The bytes behind the struct of an unmap, which syzkaller wants though there are none. */
  #tail({ layout, tail }: Struct): readonly string[] {
    return layout === 'VFIO_IOMMU_UNMAP_DMA' ? [`"${tail ?? ''}"`] : [];
  }

  #field(
    { label }: Ioctl,
    struct: Struct,
    { results, gives, outputs }: Description,
    { name, width, kind }: Slot,
    also: WordsInMemory[],
    fills: string[],
  ): string {
    const value = struct.fields[name] ?? 0n;
    const isGiven = gives?.includes(name) === true;
    if (this.#names.isUsed(label, name) && !isGiven) {
      throw new RefusedSyz(`syzkaller gives no name to ${name}.`);
    }
    if (isGiven || outputs?.includes(name) === true) {
      if (value !== 0n)
        throw new RefusedSyz(`syzkaller does not put ${name} into memory before the call.`);
      return isGiven && this.#names.isUsed(label, name)
        ? `<${this.#names.give(label, name)}=>0x0`
        : '0x0';
    }
    if (kind === 'address') return this.#pointed(struct.layout, name, value, also, fills);
    if (isResult(value)) {
      const text = this.#names.text(value);
      if (results?.includes(name) === true || text === '0x0') return text;
      throw new RefusedSyz(`in syzkaller's struct ${name} is no result of another call.`);
    }
    if (isArena(value)) throw new RefusedSyz(`in syzkaller's struct ${name} is no address.`);
    return number(BigInt.asUintN(8 * width, value));
  }

  #pointed(
    struct: string,
    name: string,
    value: Value,
    also: WordsInMemory[],
    fills: string[],
  ): string {
    const index = isArena(value)
      ? also.findIndex(({ at }) => isArena(at) && at.arena === value.arena)
      : -1;
    const [words] = index < 0 ? [] : also.splice(index, 1);
    if (words === undefined || words.words.length === 0) return this.#pointer(value);
    const bytes = wordBytes(words.words);
    const text = `&(${address((value as { readonly arena: bigint }).arena)})`;
    const isWritten = WRITTEN.has(struct);
    if (isWritten && bytes.some((byte) => byte !== 0)) {
      const length = number(BigInt(bytes.length));
      fills.push(`pwrite64(0xffffffffffffffff, ${text}="${hexOf(bytes)}", ${length}, 0x0)`);
    }
    if (name === 'allowed_iovas')
      return `${text}=${rangesText(isWritten ? zeroBytes(bytes.length) : bytes)}`;
    return isWritten ? `${text}=""/${bytes.length}` : `${text}="${hexOf(bytes)}"`;
  }
}

/** How well the description's constants and the kind of object in its name fit. */
const closeness = ({ name, constants }: Description, { fields }: Struct): number => {
  let fits = 0;
  for (const [field, constant] of Object.entries(constants ?? {})) {
    fits += (fields[field] ?? 0n) === constant ? 1 : -1;
  }
  const { id } = fields;
  const kind = isResult(id) ? /^out_([a-z]+)_id$/.exec(id.out)?.[1] : undefined;
  return kind !== undefined && name.endsWith(`$${kind}`) ? fits + 1 : fits;
};

/** "[{0x0, 0x1}]" */
const rangesText = (bytes: Uint8Array): string => {
  if (bytes.length % 16 !== 0) throw new RefusedSyz('an array has half an element.');
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const all: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    all.push(
      `{${number(view.getBigUint64(at, true))}, ${number(view.getBigUint64(at + 8, true))}}`,
    );
  }
  return `[${all.join(', ')}]`;
};

/** The struct must be as long as syzkaller's. Throws RefusedSyz. */
const requireLength = ({ layout, length, tail }: Struct, whole: number, size: number): void => {
  const behind = (tail ?? '').length >> 1;
  // The kernel writes behind GET_INFO's as far as the program says; that is read back where it is in the text.
  const isAlike = layout !== 'VFIO_IOMMU_GET_INFO' && (length ?? whole) === size;
  if (isAlike && (behind === 0 || layout === 'VFIO_IOMMU_UNMAP_DMA')) return;
  throw new RefusedSyz(`the struct of ${layout} is shorter or longer than syzkaller's.`);
};

/** The bytes of a struct without results and addresses; undefined where there are such. */
const knownBytes = (struct: Struct): Uint8Array | undefined => {
  if (Object.values(struct.fields).some((value) => typeof value !== 'bigint')) return undefined;
  const layout = LAYOUTS.get(struct.layout);
  if (layout === undefined) return undefined;
  const tail = hexBytes(struct.tail ?? '');
  const length = struct.length ?? layout.size;
  const bytes = zeroBytes(Math.max(layout.size, length) + tail.length);
  bytes.set(knownHead(struct));
  bytes.set(tail, length);
  return bytes.subarray(0, length + tail.length);
};

/** The struct with 0 for what is not known. */
const knownHead = ({ layout: name, fields }: Struct): Uint8Array => {
  const layout = LAYOUTS.get(name);
  const bytes = zeroBytes(layout?.size ?? 0);
  for (const { name: field, offset, width } of layout?.fields ?? []) {
    const value = fields[field];
    if (typeof value !== 'bigint') continue;
    if (width === 8) putU64(bytes, offset, BigInt.asUintN(64, value));
    else if (width === 4) putU32(bytes, offset, Number(BigInt.asUintN(32, value)));
    else putU16(bytes, offset, Number(BigInt.asUintN(16, value)));
  }
  return bytes;
};
