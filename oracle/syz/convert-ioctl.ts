// SPDX-License-Identifier: MIT
// An ioctl of a syzkaller program as operations: what its pointers point at is put into memory, then the call is made.

import {
  type Argument,
  LAYOUTS,
  type Operation,
  type Value,
  type WordsInMemory,
} from '../../model/programs/program.ts';
import * as vfio from '../../spec/abi/vfio.ts';
import { takesValue } from '../safety/permitted.ts';
import { WORDS_MAX } from '../trace/limits.ts';
import { structPassed } from '../trace/recorded-structs.ts';
import { CallMemory, type Pointed } from './call-memory.ts';
import type { ConvertContext } from './convert-context.ts';
import { type Description, descriptionOf } from './descriptions.ts';
import { NotCarriedOver } from './not-carried-over.ts';
import { structSlots } from './slots.ts';
import { argumentOf } from './struct-argument.ts';
import type { Image, NamedPlace } from './struct-image.ts';
import type { SyzArgument, SyzCall } from './tree.ts';

type Ioctl = Extract<Operation, { op: 'ioctl' }>;
type Pointer = Extract<SyzArgument, { kind: 'pointer' }>;

/** Pointers to arrays and buffers of the call itself; behind the others is memory to be mapped or compared. */
const isBuffer = (struct: string, field: string): boolean =>
  ['allowed_iovas', 'data_uptr', 'data', 'bitmap_data'].includes(field) ||
  (struct === 'ACCESS_RW' && field === 'uptr');

const WORD = 8;

/** Bytes as words of 8; the last is filled up with zeros. */
const wordsOf = (bytes: Uint8Array): readonly bigint[] => {
  const whole = new Uint8Array((bytes.length + WORD - 1) & ~(WORD - 1));
  whole.set(bytes);
  const view = new DataView(whole.buffer);
  return Array.from({ length: whole.length / WORD }, (_, index) =>
    view.getBigUint64(index * WORD, true),
  );
};

/** The number of the test operation that an image's second word is, and the like: the first bytes decide. */
const headOf = (
  content: SyzArgument | undefined,
  described: Description | undefined,
): Uint8Array => {
  const head = new Uint8Array(48);
  if (content?.kind === 'struct') {
    const second = content.fields[1];
    const value = second?.kind === 'number' ? second.value : (described?.constants?.op ?? 0n);
    new DataView(head.buffer).setUint32(4, Number(BigInt.asUintN(32, value)), true);
  }
  return head;
};

/** The bytes that the kernel may write behind VFIO_IOMMU_GET_INFO's struct, so that they are read back. */
const INFO_MAX = 4096;

const withRoom = (struct: string | undefined, image: Image): Image => {
  if (struct !== 'VFIO_IOMMU_GET_INFO' || image.bytes.length < 4) return image;
  const argsz = new DataView(image.bytes.buffer, image.bytes.byteOffset).getUint32(0, true);
  const length = Math.min(Math.max(argsz, image.bytes.length), INFO_MAX);
  const bytes = new Uint8Array(length);
  bytes.set(image.bytes.subarray(0, length));
  return { ...image, bytes };
};

class IoctlConversion {
  readonly #context: ConvertContext;
  readonly #call: SyzCall;
  readonly #memory: CallMemory;

  constructor(context: ConvertContext, call: SyzCall) {
    this.#context = context;
    this.#call = call;
    this.#memory = new CallMemory(context.results, context.places);
  }

  convert(): void {
    const [fdArgument, commandArgument, argument] = this.#call.arguments;
    const fd = this.#context.number(fdArgument, 'a descriptor');
    const command = this.#context.number(commandArgument, 'the number of an ioctl');
    if (typeof command !== 'bigint') throw new NotCarriedOver('the number of an ioctl is a result');
    const number = Number(BigInt.asUintN(32, command));
    if (argument?.kind === 'pointer') this.#pointer(fd, number, argument);
    else this.#push({ fd, command: number, argument: this.#plain(number, argument) }, []);
  }

  #plain(command: number, argument: SyzArgument | undefined): Argument {
    const value = argument === undefined ? 0n : this.#context.number(argument, 'the argument');
    const isNumber = typeof value !== 'bigint' || takesValue(command);
    return { kind: 'plain', value: isNumber ? value : this.#memory.addressOfNumber(value) };
  }

  #pointer(fd: Value, command: number, pointer: Pointer): void {
    const { name } = this.#call;
    const described = descriptionOf(name);
    const struct = described?.struct ?? structPassed(command, headOf(pointer.content, described));
    const image = this.#image(command, pointer, struct, described);
    if (image === undefined) {
      const at = { arena: this.#memory.addressOf(pointer, 0) };
      this.#push({ fd, command, argument: { kind: 'plain', value: at } }, []);
      return;
    }
    const passed = structPassed(command, image.bytes);
    const isWritten = pointer.content?.kind === 'struct' && !pointer.isAny;
    const whole = isWritten ? withRoom(passed, image) : image;
    const at = { arena: this.#memory.addressOf(pointer, whole.bytes.length) };
    const also: WordsInMemory[] = [];
    for (const [field, pointed] of this.#memory.pointed) {
      if (pointed.image.bytes.length === 0) continue;
      if (isBuffer(passed ?? '', field) && pointed.image.bytes.length <= WORDS_MAX * WORD) {
        also.push(this.#words(field, pointed));
      } else {
        this.#context.store(pointed.offset, this.#raw(field, pointed));
      }
    }
    const argument = argumentOf(whole, at, passed, also);
    this.#push({ fd, command, argument }, image.named);
  }

  /** What is at the argument before the call; undefined where the program puts nothing there. */
  #image(
    command: number,
    { content, isAny, length }: Pointer,
    struct: string | undefined,
    described: Description | undefined,
  ): Image | undefined {
    const hasNothing = content === undefined || content.kind === 'nil';
    if (takesValue(command)) return undefined;
    if (command === vfio.VFIO_GROUP_GET_DEVICE_FD || struct === undefined) {
      if (hasNothing) return undefined;
      const image = this.#memory.plainImage(content, isAny);
      if (image !== undefined) return image;
      throw new NotCarriedOver(`ioctl 0x${command.toString(16)} has no struct that is known here`);
    }
    if (hasNothing && (length !== undefined || described === undefined)) return undefined;
    const slots = structSlots(struct, described);
    if (slots === undefined) throw new NotCarriedOver(`there is no struct of ${struct}`);
    return this.#memory.structImage(content, isAny, slots);
  }

  #words(field: string, pointed: Pointed): WordsInMemory {
    const { offset, image } = pointed;
    const filled = this.#context.takeFill(offset, image.bytes.length);
    return { at: { arena: offset }, words: wordsOf(filled ?? this.#raw(field, pointed)) };
  }

  #raw(field: string, { image }: Pointed): Uint8Array {
    if (image.cells.length === 0) return image.bytes;
    throw new NotCarriedOver(`what ${field} points at has a result or a pointer in it`);
  }

  #push(parts: Pick<Ioctl, 'fd' | 'command' | 'argument'>, named: readonly NamedPlace[]): void {
    const { properties, result, name } = this.#call;
    const stem = name.replace(/^ioctl\$?(IOMMU_|VFIO_|TEST_OP_)*/, '').replaceAll('$', '_');
    for (let time = 0; time <= properties.rerun; time += 1) {
      const label = this.#context.label(stem === '' ? 'ioctl' : stem.toLowerCase());
      this.#context.push({ op: 'ioctl', label, ...parts });
      if (time > 0) continue;
      this.#context.results.giveDescriptor(result, { from: label, out: 'result' });
      this.#nameFields(label, parts.argument, named);
    }
  }

  #nameFields(label: string, argument: Argument, named: readonly NamedPlace[]): void {
    const fields = argument.kind === 'struct' ? LAYOUTS.get(argument.layout)?.fields : undefined;
    for (const { name, offset, width } of named) {
      const field = fields?.find((one) => one.offset === offset && one.width >= width);
      if (field === undefined) {
        throw new NotCarriedOver(
          `"${name}" is at byte ${offset}, where the call's struct has no field`,
        );
      }
      this.#context.results.give(name, { from: label, out: field.name });
    }
  }
}

/** Throws NotCarriedOver. */
export const convertIoctl = (context: ConvertContext, call: SyzCall): void =>
  new IoctlConversion(context, call).convert();
