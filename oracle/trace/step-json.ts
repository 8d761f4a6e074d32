// SPDX-License-Identifier: MIT
// A call and its observation as JSON and back, so that a trace can be judged without running it again. A program is
// one process.

import * as v from 'valibot';
import { hexOf } from '../../spec/abi/bytes-text.ts';
import type { Call, Observation, Segment } from '../../spec/terms/call.ts';
import { hexText } from './json-line.ts';
import { BYTES_MAX, SEGMENTS_MAX } from './limits.ts';
import {
  direction,
  fileLength,
  protection,
  statusField,
  transferLength,
} from './operation-json.ts';
import {
  address,
  bytes,
  errno,
  exactly,
  fields,
  flag,
  isAnswer,
  kindOf,
  list,
  NO_ANSWER,
  passedFd,
  result,
  text,
  u32,
  u64,
} from './values.ts';

export type TracedStep = { readonly call: Call; readonly observation: Observation };

/** The process that every call of a program is made by. */
const PROCESS = 1;

const segmentJson = ({ address, bytes }: Segment) => ({
  address: hexText(address),
  bytes: hexOf(bytes),
});

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

export const stepJson = ({ call, observation }: TracedStep) => ({
  call: callJson(call),
  observation: { ...observation, memory: observation.memory.map(segmentJson) },
});

const segment: v.GenericSchema<unknown, Segment> = fields({ address, bytes: bytes(BYTES_MAX) });
const memory = list(segment, SEGMENTS_MAX);

const anonymous = (kind: 'anonymous' | 'device' | 'huge') => fields({ kind: exactly(kind) });

const backing = kindOf('kind', {
  anonymous: anonymous('anonymous'),
  device: anonymous('device'),
  huge: anonymous('huge'),
  memfd: fields({ kind: exactly('memfd'), fd: passedFd, offset: u64 }),
});

const call = kindOf('kind', {
  open: fields({ kind: exactly('open'), path: text }),
  close: fields({ kind: exactly('close'), fd: passedFd }),
  ioctl: fields({ kind: exactly('ioctl'), fd: passedFd, command: u32, argument: u64, memory }),
  memfd: fields({ kind: exactly('memfd'), length: fileLength }),
  mmap: fields({
    kind: exactly('mmap'),
    address,
    length: u64,
    protection,
    shared: flag,
    backing,
  }),
  munmap: fields({ kind: exactly('munmap'), address, length: u64 }),
  dma: fields({
    kind: exactly('dma'),
    fd: passedFd,
    direction,
    iova: u64,
    length: transferLength,
    memory,
  }),
  status: fields({ kind: exactly('status'), field: statusField }),
  store: fields({ kind: exactly('store'), memory: segment }),
});

export const CALL: v.GenericSchema<unknown, Call> = v.pipe(
  call,
  v.transform((made) => ({ ...made, process: PROCESS })),
);

export const OBSERVATION: v.GenericSchema<unknown, Observation> = v.pipe(
  fields({ result, errno, memory }),
  v.check((seen) => isAnswer(seen.result, seen.errno), NO_ANSWER),
);
