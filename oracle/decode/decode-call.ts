// SPDX-License-Identifier: MIT
// A call as data for readers: its name, and its fields by name with their values as text.

import { match } from 'ts-pattern';
import { fileAt, type OpenFile, openFile, type World } from '../../spec/state/world.ts';
import type { Call, IoctlCall } from '../../spec/terms/call.ts';
import { hex, length } from '../text/quantities.ts';
import { extensionName } from '../text/value-names.ts';
import { type CallShape, shapeOf } from './call-shape.ts';
import { bytesIn, type MemoryPart, memoryPartsOf } from './memory-layout.ts';

export type DecodedField = {
  readonly name: string;
  readonly value: string;
  /** Not worth showing: a reserved field that is 0. */
  readonly idle: boolean;
};

export type DecodedCall = {
  readonly name: string;
  readonly process: number;
  /** The descriptor that it is made on. */
  readonly descriptor: number | undefined;
  /** An ioctl's number and third argument, hexadecimal. */
  readonly command?: string;
  readonly argument?: string;
  readonly fields: readonly DecodedField[];
};

/** The file of a call's descriptor. */
export const fileOfCall = (world: World, call: Call): OpenFile | undefined => {
  if (call.kind !== 'ioctl' && call.kind !== 'close' && call.kind !== 'dma') return undefined;
  const id = fileAt(world, call.process, call.fd);
  return id === undefined ? undefined : openFile(world, id);
};

export const shapeOfCall = (world: World, call: IoctlCall): CallShape =>
  shapeOf(fileOfCall(world, call), call.command, call.memory[0]?.bytes ?? new Uint8Array());

const fieldAt = (part: MemoryPart, call: IoctlCall): DecodedField => {
  const bytes = bytesIn(call.memory, part.address, part.length);
  if (bytes.length === part.length) {
    return { name: part.name, value: part.text(bytes), idle: part.idle(bytes) };
  }
  const value = bytes.length === 0 ? 'not passed, or not readable' : 'passed in part';
  return { name: part.name, value, idle: part.idle(new Uint8Array()) };
};

const valueField = (shape: CallShape, argument: bigint): readonly DecodedField[] => {
  if (shape.argument !== 'value') return [];
  const name = extensionName(argument);
  const value = name === undefined ? hex(argument) : `${name} (${argument})`;
  return [{ name: shape.name === 'VFIO_SET_IOMMU' ? 'type' : 'extension', value, idle: false }];
};

const ioctlFields = (shape: CallShape, call: IoctlCall): readonly DecodedField[] => {
  if (shape.argument === 'value' || shape.argument === 'unused') {
    return valueField(shape, call.argument);
  }
  return memoryPartsOf(shape, call).map((part) => fieldAt(part, call));
};

const field = (name: string, value: string): DecodedField => ({ name, value, idle: false });

export const decodeCall = (world: World, call: Call): DecodedCall => {
  const { process } = call;
  return match(call)
    .with({ kind: 'open' }, ({ path }) => ({
      name: 'open',
      process,
      descriptor: undefined,
      fields: [field('path', `"${path}"`)],
    }))
    .with({ kind: 'close' }, ({ fd }) => ({
      name: 'close',
      process,
      descriptor: fd,
      fields: [],
    }))
    .with({ kind: 'memfd' }, (memfd) => {
      const fields = [field('length', length(memfd.length))];
      return { name: 'memfd', process, descriptor: undefined, fields };
    })
    .with({ kind: 'mmap' }, ({ backing, address, ...mapping }) => {
      const source =
        backing.kind === 'memfd' ? `memfd ${backing.fd} from ${hex(backing.offset)}` : backing.kind;
      const fields = [
        field('address', hex(address)),
        field('length', length(mapping.length)),
        field('protection', mapping.protection),
        field('backing', `${source}, ${mapping.shared ? 'shared' : 'private'}`),
      ];
      return { name: 'mmap', process, descriptor: undefined, fields };
    })
    .with({ kind: 'munmap' }, (span) => {
      const fields = [field('address', hex(span.address)), field('length', length(span.length))];
      return { name: 'munmap', process, descriptor: undefined, fields };
    })
    .with({ kind: 'store' }, ({ memory }) => {
      const { address, bytes } = memory;
      const fields = [
        field('address', hex(address)),
        field('length', length(BigInt(bytes.length))),
      ];
      return { name: 'store', process, descriptor: undefined, fields };
    })
    .with({ kind: 'dma' }, (transfer) => {
      const fields = [
        field('direction', transfer.direction),
        field('iova', hex(transfer.iova)),
        field('length', length(BigInt(transfer.length))),
      ];
      return { name: 'dma', process, descriptor: transfer.fd, fields };
    })
    .with({ kind: 'status' }, (status) => ({
      name: 'status',
      process,
      descriptor: undefined,
      fields: [field('field', status.field)],
    }))
    .with({ kind: 'ioctl' }, (ioctl) => {
      const shape = shapeOfCall(world, ioctl);
      return {
        name: shape.name,
        process,
        descriptor: ioctl.fd,
        command: hex(ioctl.command),
        argument: hex(ioctl.argument),
        fields: ioctlFields(shape, ioctl),
      };
    })
    .exhaustive();
};
