// A call as it was made and what came of it, as JSON and back: what a trace carries so that it can be judged without
// being run again. A program is one process.

import { hexOf } from '../../spec/abi/bytes-text.ts';
import { fileDescriptor, userAddress } from '../../spec/abi/units.ts';
import type { Backing, Call, Observation, Segment } from '../../spec/terms/call.ts';
import { CALL_KINDS } from './call-kinds.ts';
import type { Fields } from './fields.ts';
import { hexText } from './json-line.ts';

export type TracedStep = { readonly call: Call; readonly observation: Observation };

/** The process that every call of a program is made by. */
const PROCESS = 1;

const segmentJson = ({ address, bytes }: Segment) => ({
  address: hexText(address),
  bytes: hexOf(bytes),
});

const segmentOf = (fields: Fields): Segment => {
  fields.only('address', 'bytes');
  return { address: userAddress(fields.hex('address')), bytes: fields.bytes('bytes') };
};

const backingOf = (fields: Fields): Backing => {
  const kind = fields.word('kind', ['anonymous', 'device', 'huge', 'memfd']);
  if (kind !== 'memfd') return { kind };
  return { kind, fd: fileDescriptor(fields.integer('fd')), offset: fields.hex('offset') };
};

/** Without the process, and with numbers as text. */
const callJson = (call: Call): unknown => {
  const { process: _, ...rest } = call;
  if (rest.kind === 'ioctl') {
    return {
      ...rest,
      command: `0x${rest.command.toString(16)}`,
      memory: rest.memory.map(segmentJson),
    };
  }
  if (rest.kind === 'dma') return { ...rest, memory: rest.memory.map(segmentJson) };
  return rest.kind === 'store' ? { ...rest, memory: segmentJson(rest.memory) } : rest;
};

const callOf = (fields: Fields): Call => {
  const kind = fields.word('kind', CALL_KINDS);
  const process = PROCESS;
  switch (kind) {
    case 'open':
      return { kind, process, path: fields.text('path') };
    case 'close':
      return { kind, process, fd: fileDescriptor(fields.integer('fd')) };
    case 'ioctl':
      return {
        kind,
        process,
        fd: fileDescriptor(fields.integer('fd')),
        command: Number(fields.hex('command')),
        argument: fields.hex('argument'),
        memory: fields.objects('memory').map(segmentOf),
      };
    case 'memfd':
      return { kind, process, length: fields.hex('length') };
    case 'mmap':
      return {
        kind,
        process,
        address: userAddress(fields.hex('address')),
        length: fields.hex('length'),
        protection: fields.word('protection', ['none', 'read', 'read-write']),
        shared: fields.flag('shared'),
        backing: backingOf(fields.object('backing')),
      };
    case 'munmap':
      return {
        kind,
        process,
        address: userAddress(fields.hex('address')),
        length: fields.hex('length'),
      };
    case 'dma':
      return {
        kind,
        process,
        fd: fileDescriptor(fields.integer('fd')),
        direction: fields.word('direction', ['read', 'write']),
        iova: fields.hex('iova'),
        length: fields.integer('length'),
        memory: fields.objects('memory').map(segmentOf),
      };
    case 'status':
      return { kind, process, field: fields.word('field', ['VmLck', 'VmPin']) };
    case 'store':
      return { kind, process, memory: segmentOf(fields.object('memory')) };
  }
};

const observationOf = (fields: Fields): Observation => {
  fields.only('result', 'errno', 'memory');
  return {
    result: fields.integer('result'),
    errno: fields.integer('errno'),
    memory: fields.objects('memory').map(segmentOf),
  };
};

export const stepJson = ({ call, observation }: TracedStep) => ({
  call: callJson(call),
  observation: { ...observation, memory: observation.memory.map(segmentJson) },
});

/** Of a line that has "call" and "observation". */
export const stepOf = (fields: Fields): TracedStep => ({
  call: callOf(fields.object('call')),
  observation: observationOf(fields.object('observation')),
});
