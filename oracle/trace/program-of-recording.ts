// SPDX-License-Identifier: MIT
// A recording as a program that can be run again: numbers become handles, and memory moves into the arena. Several
// processes are an error; calls on unspecified files are left out and counted.

import {
  ARRAY_LENGTH,
  ARRAY_OFFSET,
  STRUCT_LENGTH,
  STRUCT_OFFSET,
} from '../../model/programs/arena.ts';
import {
  type Argument,
  LAYOUTS,
  type Operation,
  type Program,
  type Value,
  type WordsInMemory,
} from '../../model/programs/program.ts';
import { bytesOfLatin1, hexOf, latin1Of } from '../../spec/abi/bytes-text.ts';
import { ERRNO } from '../../spec/abi/errno.ts';
import { decode, type Field, type Layout } from '../../spec/abi/layout.ts';
import * as vfio from '../../spec/abi/vfio.ts';
import type { Call, IoctlCall } from '../../spec/terms/call.ts';
import type { Platform } from '../../spec/terms/platform.ts';
import { BadInput } from './bad-input.ts';
import { RecordedHandles } from './recorded-handles.ts';
import { RecordedMemory } from './recorded-memory.ts';
import { bytesAt, memoryNamed, structOf } from './recorded-structs.ts';
import type { RecordedCall } from './recording.ts';

const wordsOf = (bytes: Uint8Array): readonly bigint[] => {
  const whole = new Uint8Array((bytes.length + 7) & ~7);
  whole.set(bytes);
  const view = new DataView(whole.buffer);
  return Array.from({ length: whole.length / 8 }, (_, index) => view.getBigUint64(index * 8, true));
};

/** The most bytes of a struct that a recording shows. */
const RECORDED_MAX = 8192;

const DEVICE_CALLS: ReadonlySet<number> = new Set([
  vfio.VFIO_DEVICE_BIND_IOMMUFD,
  vfio.VFIO_DEVICE_ATTACH_IOMMUFD_PT,
  vfio.VFIO_DEVICE_DETACH_IOMMUFD_PT,
]);

/** What a device's driver answers is not specified. */
const isSpecified = (path: string, call: Call): boolean => {
  if (/^\/dev\/(iommu|vfio\/(vfio|\d+))$/.test(path)) return true;
  if (!/^\/dev\/vfio\/devices\/vfio\d+$/.test(path)) return false;
  return call.kind !== 'ioctl' || DEVICE_CALLS.has(call.command);
};

const ARRAYS: Value = { arena: ARRAY_OFFSET };

class Converter {
  readonly operations: Operation[] = [];
  leftOut = 0;
  readonly #file: string;
  readonly #platform: Platform;
  readonly #memory: RecordedMemory;
  readonly #handles = new RecordedHandles();
  readonly #memfds = new Map<number, string>();
  readonly #groups = new Map<number, number>();
  /** By a device's descriptor: the iommufd that it is bound to, whose objects its calls name. */
  readonly #iommufds = new Map<number, number>();
  #process: number | undefined;
  #count = 0;

  constructor(file: string, platform: Platform, calls: readonly RecordedCall[]) {
    this.#file = file;
    this.#platform = platform;
    this.#memory = new RecordedMemory(calls.flatMap(memoryNamed));
  }

  #label(what: string): string {
    this.#count += 1;
    return `${what}${this.#count}`;
  }

  take(recorded: RecordedCall): void {
    const { call, line, path } = recorded;
    this.#process ??= call.process;
    if (call.process !== this.#process) {
      throw new BadInput(
        this.#file,
        line,
        `process ${call.process} makes a call in addition to process ${this.#process}; a program is one process`,
      );
    }
    if (!isSpecified(path, call) && call.kind !== 'close') {
      this.leftOut += 1;
      return;
    }
    if (call.kind === 'open') this.#open(recorded);
    else if (call.kind === 'close') this.#close(recorded);
    else if (call.kind === 'ioctl') this.#ioctl(recorded, call);
  }

  #open({ path, fd }: RecordedCall): void {
    const label = this.#label('open');
    this.operations.push({ op: 'open', label, path });
    this.#handles.gaveDescriptor(fd, label);
    const group = /^\/dev\/vfio\/(\d+)$/.exec(path)?.[1];
    if (group !== undefined) this.#groups.set(fd, Number(group));
  }

  #close({ fd }: RecordedCall): void {
    const value = this.#handles.descriptor(fd);
    if (typeof value === 'bigint') {
      this.leftOut += 1;
      return;
    }
    this.operations.push({ op: 'close', label: this.#label('close'), fd: value });
    this.#handles.dropDescriptor(fd);
    this.#iommufds.delete(fd);
  }

  #ioctl(recorded: RecordedCall, call: IoctlCall): void {
    const struct = structOf(call);
    this.#prepareMemory(recorded, call, struct);
    const argument = this.#argument(recorded, call, struct);
    const { fd } = recorded;
    const label = this.#label(struct?.replace(/^IOMMU_/, '').toLowerCase() ?? 'ioctl');
    const value = this.#handles.descriptor(fd);
    this.operations.push({ op: 'ioctl', label, fd: value, command: call.command, argument });
    const { errno, result, memory } = recorded.observation;
    if (errno !== 0) return;
    if (call.command === vfio.VFIO_DEVICE_BIND_IOMMUFD) {
      this.#iommufds.set(fd, decode(vfio.VFIO_DEVICE_BIND, bytesAt(call)).iommufd);
    }
    if (call.command === vfio.VFIO_GROUP_GET_DEVICE_FD) this.#handles.gaveDescriptor(result, label);
    const layout = struct === undefined ? undefined : LAYOUTS.get(struct);
    const after = memory[0]?.bytes;
    if (struct !== undefined && layout !== undefined && after !== undefined) {
      this.#handles.gaveFields({
        struct,
        layout,
        before: bytesAt(call),
        after,
        file: this.#objectsOf(fd),
        label,
      });
    }
  }

  #objectsOf(fd: number): number {
    return this.#iommufds.get(fd) ?? fd;
  }

  #prepareMemory(recorded: RecordedCall, call: IoctlCall, struct: string | undefined): void {
    if (struct === 'IOMMU_IOAS_MAP_FILE') this.#prepareFile(recorded, call);
    const [used] = memoryNamed(recorded);
    if (used === undefined) return;
    const { address, length } = used;
    const label = (what: string): string => this.#label(what);
    if (recorded.mappings !== undefined) {
      this.operations.push(...this.#memory.prepare(address, length, recorded.mappings, label));
    } else if (recorded.observation.errno !== ERRNO.EFAULT) {
      // The kernel read memory there, so it was mapped.
      this.operations.push(...this.#memory.ensure(address, length, label));
    }
  }

  /** A file that the recording knows only by number: as long as its maps need. */
  #prepareFile({ observation }: RecordedCall, call: IoctlCall): void {
    const layout = LAYOUTS.get('IOMMU_IOAS_MAP_FILE') as Layout;
    const values = decode(layout, bytesAt(call)) as Readonly<Record<string, bigint>>;
    const fd = Number(values.fd ?? 0);
    if (observation.errno !== 0 || this.#memfds.has(fd)) return;
    const label = this.#label('memfd');
    const length = ((values.start ?? 0n) + (values.length ?? 0n) + 0x1f_ffffn) & ~0x1f_ffffn;
    this.operations.push({ op: 'memfd', label, length });
    this.#memfds.set(fd, label);
    this.#handles.gaveDescriptor(fd, label);
  }

  #argument(recorded: RecordedCall, call: IoctlCall, struct: string | undefined): Argument {
    const { argument, command, memory } = call;
    if (command === vfio.VFIO_GROUP_GET_DEVICE_FD) return this.#deviceName(recorded, call);
    if (memory.length === 0) return { kind: 'plain', value: argument };
    const bytes = bytesAt(call);
    if (bytes.length === 0) {
      // Nothing could be read there, as in the hole after the structs.
      const value = argument === 0n ? 0n : { arena: STRUCT_OFFSET + STRUCT_LENGTH };
      return { kind: 'plain', value };
    }
    const layout = struct === undefined ? undefined : LAYOUTS.get(struct);
    const at = this.#structPlace(bytes, layout);
    if (struct === undefined || layout === undefined) {
      return { kind: 'bytes', at, hex: hexOf(bytes) };
    }
    return this.#struct(recorded, call, struct, layout, at);
  }

  /** At the end of readable memory if the recording could not read the whole struct. */
  #structPlace(bytes: Uint8Array, layout: Layout | undefined): Value {
    const kind = layout?.fields[0]?.kind;
    const saysSize = (kind === 'size' || kind === 'argsz') && bytes.length >= 4;
    const declared = saysSize
      ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
      : bytes.length;
    const isCut = bytes.length < 4 || (declared > bytes.length && bytes.length < RECORDED_MAX);
    return { arena: STRUCT_OFFSET + (isCut ? STRUCT_LENGTH - BigInt(bytes.length) : 0n) };
  }

  #struct(
    recorded: RecordedCall,
    call: IoctlCall,
    struct: string,
    layout: Layout,
    at: Value,
  ): Argument {
    const bytes = bytesAt(call);
    const values = decode(layout, bytes) as Readonly<Record<string, number | bigint>>;
    const [, pointed] = call.memory;
    const also: WordsInMemory[] = [];
    const fields: Record<string, Value> = {};
    for (const field of layout.fields) {
      const value = BigInt(values[field.name] ?? 0);
      const isPointer = field.kind === 'address' && pointed?.address === value;
      if (isPointer && pointed.bytes.length <= Number(ARRAY_LENGTH)) {
        also.push({ at: ARRAYS, words: wordsOf(pointed.bytes) });
        fields[field.name] = ARRAYS;
      } else {
        fields[field.name] = this.#field(struct, field, value, recorded.fd);
      }
    }
    const tail = bytes.subarray(layout.size);
    const needsTail = struct.startsWith('IOMMU_') || struct === 'VFIO_IOMMU_GET_INFO';
    return {
      kind: 'struct',
      at,
      layout: struct,
      fields,
      ...(bytes.length < layout.size ? { length: bytes.length } : {}),
      ...(tail.length > 0 && needsTail ? { tail: hexOf(tail) } : {}),
      ...(also.length === 0 ? {} : { also }),
    };
  }

  #field(struct: string, field: Field, value: bigint, fd: number): Value {
    if (field.kind === 'address') {
      const offset = this.#memory.offsetOf(value);
      return offset === undefined ? value : { arena: offset };
    }
    return this.#handles.value(struct, field, value, this.#objectsOf(fd));
  }

  /** A recording shows the first bytes of the name: takes the group's device whose name begins with them. */
  #deviceName({ fd }: RecordedCall, call: IoctlCall): Argument {
    const bytes = bytesAt(call);
    const end = bytes.indexOf(0);
    const shown = latin1Of(end < 0 ? bytes : bytes.subarray(0, end));
    const device = this.#platform.devices.find(
      ({ name, group }) => group === this.#groups.get(fd) && name.startsWith(shown),
    );
    const name = end < 0 ? (device?.name ?? shown) : shown;
    const hex = hexOf(bytesOfLatin1(`${name}\0`));
    return { kind: 'bytes', at: { arena: STRUCT_OFFSET }, hex };
  }
}

export type ConvertedRecording = {
  readonly program: Program;
  /** Calls on files that are not specified. */
  readonly leftOut: number;
};

/** The calls as a program. Throws BadInput if they cannot be one. */
export const programOfRecording = (
  file: string,
  platform: Platform,
  calls: readonly RecordedCall[],
): ConvertedRecording => {
  const converter = new Converter(file, platform, calls);
  for (const call of calls) converter.take(call);
  return { program: converter.operations, leftOut: converter.leftOut };
};
