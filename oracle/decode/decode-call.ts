// SPDX-License-Identifier: MIT
// A call as data for readers: its name, and its fields by name with their values in words.

import { fileAt, type OpenFile, openFile, type World } from '../../spec/state/world.ts';
import type { Call, IoctlCall } from '../../spec/terms/call.ts';
import { hex, length } from '../text/quantities.ts';
import { extensionName } from '../text/value-names.ts';
import { type CallShape, shapeOf } from './call-shape.ts';
import { bytesIn, type Place, placesOf } from './memory-layout.ts';

export type DecodedField = {
  readonly name: string;
  readonly value: string;
  /** Of no interest to a reader: a reserved field that is 0. */
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

/** What the descriptor of a call refers to. */
export const fileOfCall = (world: World, call: Call): OpenFile | undefined => {
  if (call.kind !== 'ioctl' && call.kind !== 'close' && call.kind !== 'dma') return undefined;
  const id = fileAt(world, call.process, call.fd);
  return id === undefined ? undefined : openFile(world, id);
};

export const shapeOfCall = (world: World, call: IoctlCall): CallShape =>
  shapeOf(fileOfCall(world, call), call.command, call.memory[0]?.bytes ?? new Uint8Array());

const fieldAt = (place: Place, call: IoctlCall): DecodedField => {
  const bytes = bytesIn(call.memory, place.address, place.length);
  if (bytes.length === place.length) {
    return { name: place.name, value: place.text(bytes), idle: place.idle(bytes) };
  }
  const value = bytes.length === 0 ? 'not passed, or not readable' : 'passed in part';
  return { name: place.name, value, idle: place.idle(new Uint8Array()) };
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
  return placesOf(shape, call).map((place) => fieldAt(place, call));
};

const field = (name: string, value: string): DecodedField => ({ name, value, idle: false });

export const decodeCall = (world: World, call: Call): DecodedCall => {
  const { process } = call;
  switch (call.kind) {
    case 'open':
      return {
        name: 'open',
        process,
        descriptor: undefined,
        fields: [field('path', `"${call.path}"`)],
      };
    case 'close':
      return { name: 'close', process, descriptor: call.fd, fields: [] };
    case 'memfd': {
      const fields = [field('length', length(call.length))];
      return { name: 'memfd', process, descriptor: undefined, fields };
    }
    case 'mmap': {
      const { backing } = call;
      const behind =
        backing.kind === 'memfd' ? `memfd ${backing.fd} from ${hex(backing.offset)}` : backing.kind;
      const fields = [
        field('address', hex(call.address)),
        field('length', length(call.length)),
        field('protection', call.protection),
        field('backing', `${behind}, ${call.shared ? 'shared' : 'private'}`),
      ];
      return { name: 'mmap', process, descriptor: undefined, fields };
    }
    case 'munmap': {
      const fields = [field('address', hex(call.address)), field('length', length(call.length))];
      return { name: 'munmap', process, descriptor: undefined, fields };
    }
    case 'store': {
      const { address, bytes } = call.memory;
      const fields = [
        field('address', hex(address)),
        field('length', length(BigInt(bytes.length))),
      ];
      return { name: 'store', process, descriptor: undefined, fields };
    }
    case 'dma': {
      const fields = [
        field('direction', call.direction),
        field('iova', hex(call.iova)),
        field('length', length(BigInt(call.length))),
      ];
      return { name: 'dma', process, descriptor: call.fd, fields };
    }
    case 'status':
      return {
        name: 'status',
        process,
        descriptor: undefined,
        fields: [field('field', call.field)],
      };
    case 'ioctl': {
      const shape = shapeOfCall(world, call);
      return {
        name: shape.name,
        process,
        descriptor: call.fd,
        command: hex(call.command),
        argument: hex(call.argument),
        fields: ioctlFields(shape, call),
      };
    }
  }
};
