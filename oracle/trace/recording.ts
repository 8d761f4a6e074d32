// SPDX-License-Identifier: MIT
// The header of a recording, and its calls on a real kernel. Nothing in a file is executed, and a line that does not
// fit the format is an error with its number.

import * as v from 'valibot';
import { bytesOfHex } from '../../spec/abi/bytes-text.ts';
import { type Fd, fileDescriptor, userAddress } from '../../spec/abi/units.ts';
import type { Call, Observation, Segment } from '../../spec/terms/call.ts';
import type { Platform } from '../../spec/terms/platform.ts';
import type { ReleaseName } from '../../spec/terms/releases.ts';
import { BadInput } from './bad-input.ts';
import { parseObject } from './json-object.ts';
import { DEVICES_MAX, LOG_MAX, POINTED_MAX, STRUCT_MAX } from './limits.ts';
import { checked, readJson } from './read-json.ts';
import { mappings, type RecordedMapping } from './recorded-mapping.ts';
import { RECORDED_PLATFORM } from './recorded-platform.ts';
import {
  digits,
  errno,
  exactly,
  exitStatus,
  flag,
  isAnswer,
  kindOf,
  list,
  must,
  NO_ANSWER,
  openFd,
  openFields,
  release,
  result,
  text,
  textUpTo,
  u32,
  u64,
  whole,
  word,
} from './values.ts';

export const RECORDING_FORMAT = 'iommufd-recording';

export type RecordingHeader = {
  /** 2: every process, descriptor and mapping is followed; see recorded-event.ts. */
  readonly version: 1 | 2;
  /** Version 3 adds a last line that says whether the recording is complete; see recording-end.ts. */
  readonly hasEnd: boolean;
  readonly release: ReleaseName;
  readonly privileged: boolean;
  readonly platform: Platform;
  readonly stated: StatedFacts;
};

/** Facts that decide replies, if the header or the user states them. */
export type StatedFacts = {
  /** The kernel, if it is not the one that the file names. */
  readonly release?: ReleaseName;
  /** A program that had every capability when it started has them in each call. */
  readonly keepsCapabilities?: true;
  /** RLIMIT_MEMLOCK in pages. A header does not state it, as a program can change it. */
  readonly memlock?: number;
  /** vfio_iommu_type1.dma_entry_limit. */
  readonly dmaEntryLimit?: number;
  /** For each driver, whether devices may be used: interrupts are isolated, or allow_unsafe_interrupts is set. */
  readonly interrupts?: { readonly type1: boolean; readonly iommufd: boolean };
  /** The groups with a device that another kernel driver uses. */
  readonly groupsInUse?: readonly number[];
};

export type RecordedCall = {
  readonly line: number;
  readonly sequence: number;
  readonly fd: Fd;
  readonly path: string;
  readonly call: Call;
  readonly observation: Observation;
  /** Every mapping that overlaps the memory to map; absent if none is recorded. */
  readonly mappings: readonly RecordedMapping[] | undefined;
  /** The file that IOAS_MAP_FILE maps, if recorded. */
  readonly mappedFile?: MappedFile;
};

export type MappedFile = {
  /** Its number in the recording. */
  readonly file: number;
  /** Bytes. */
  readonly size: bigint;
};

const HEADER = openFields({
  format: exactly(RECORDING_FORMAT),
  version: v.picklist([1, 2, 3], must('1, 2 or 3')),
  release,
  arch: exactly('x86-64'),
  pageSize: exactly(4096),
  privileged: flag,
  dmaEntryLimit: v.exactOptional(u32),
  interrupts: v.exactOptional(openFields({ type1: flag, iommufd: flag })),
  groupsInUse: v.exactOptional(list(u32, DEVICES_MAX)),
  platform: RECORDED_PLATFORM,
  program: v.exactOptional(textUpTo(LOG_MAX)),
  exit: v.exactOptional(exitStatus),
});

/** The first line. Throws BadInput. */
export const parseHeader = (file: string, text: string): RecordingHeader => {
  const line = parseObject(file, 1, text);
  if (line.format !== RECORDING_FORMAT) {
    const what = '"format" is neither "iommufd-recording" nor "iommufd-trace"';
    throw new BadInput(file, 1, `${what}; this is neither a recording nor a trace`);
  }
  const header = checked(HEADER, file, 1, line);
  const { version, release, privileged, platform } = header;
  const { dmaEntryLimit, interrupts, groupsInUse } = header;
  const stated = {
    ...(dmaEntryLimit === undefined ? {} : { dmaEntryLimit }),
    ...(interrupts === undefined ? {} : { interrupts }),
    ...(groupsInUse === undefined ? {} : { groupsInUse }),
  };
  const format = { version: version === 1 ? 1 : 2, hasEnd: version === 3 } as const;
  return { ...format, release, privileged, platform, stated };
};

export const PID_MAX = 1 << 22;

export const pid = whole(1, PID_MAX);

/** The fields of every line. */
export const common = { seq: whole(0), pid, tid: v.exactOptional(pid) };

const onDescriptor = { ...common, fd: openFd, path: text };

export const backing = word(['anonymous', 'memory-file', 'device', 'file']);
export const fileNumber = whole(0, (1 << 28) - 1);

const struct = digits(STRUCT_MAX);
const pointed = digits(POINTED_MAX);

const ioctl = v.pipe(
  openFields({
    ...onDescriptor,
    call: exactly('ioctl'),
    cmd: u32,
    arg: u64,
    in: v.exactOptional(struct),
    out: v.exactOptional(struct),
    mem: v.exactOptional(openFields({ addr: u64, in: pointed })),
    memOut: v.exactOptional(pointed),
    vmas: v.exactOptional(mappings),
    ret: result,
    errno,
    backing: v.exactOptional(backing),
    file: v.exactOptional(fileNumber),
    size: v.exactOptional(u64),
  }),
  v.check((line) => isAnswer(line.ret, line.errno), NO_ANSWER),
  v.check(
    // Memory that could not be read has no bytes after the call either.
    ({ in: before = '', out = '' }) => out.length === before.length,
    'must have as many bytes in "out" as in "in"',
  ),
  v.check(
    ({ in: before, mem }) => mem === undefined || before !== undefined,
    'must not have "mem" without "in"',
  ),
  v.check(
    ({ mem, memOut }) => mem?.in.length === memOut?.length,
    'must have as many bytes in "memOut" as in "mem"',
  ),
  v.check(
    ({ backing, file, size }) =>
      backing !== 'memory-file' || (file !== undefined && size !== undefined),
    'must have "file" and "size" of a "backing" that is a memory-file',
  ),
);

/** Any line of version 1 but the first. */
export const CALLS = {
  open: openFields({ ...onDescriptor, call: exactly('open') }),
  close: openFields({ ...onDescriptor, call: exactly('close') }),
  ioctl,
};

type CallLine = v.InferOutput<(typeof CALLS)[keyof typeof CALLS]>;

const NOTHING: readonly Segment[] = [];

/** After the call; unchanged memory has the identical bytes object, so that no comparison is needed. */
const after = (before: Segment, shown: string, now: string): Segment =>
  shown === now ? before : { address: before.address, bytes: bytesOfHex(now) as Uint8Array };

const segment = (address: bigint, shown: string): Segment => ({
  address: userAddress(address),
  bytes: bytesOfHex(shown) as Uint8Array,
});

/** The spans of memory before the call, and the same after it. */
const memoryOf = ({
  arg,
  in: before,
  out,
  mem,
  memOut,
}: v.InferOutput<typeof ioctl>): readonly [readonly Segment[], readonly Segment[]] => {
  if (before === undefined) return [NOTHING, NOTHING];
  const struct = segment(arg, before);
  const structs = out === undefined ? [] : [after(struct, before, out)];
  if (mem === undefined || memOut === undefined) return [[struct], structs];
  const pointed = segment(mem.addr, mem.in);
  return [
    [struct, pointed],
    [...structs, after(pointed, mem.in, memOut)],
  ];
};

const callAndAnswer = (line: CallLine): Pick<RecordedCall, 'call' | 'observation'> => {
  const { pid: process, path } = line;
  const fd = fileDescriptor(line.fd);
  switch (line.call) {
    case 'open':
      return {
        call: { kind: 'open', process, path },
        observation: { result: fd, errno: 0, memory: NOTHING },
      };
    case 'close':
      return {
        call: { kind: 'close', process, fd },
        observation: { result: 0, errno: 0, memory: NOTHING },
      };
    case 'ioctl': {
      const [memory, changed] = memoryOf(line);
      return {
        call: { kind: 'ioctl', process, fd, command: line.cmd, argument: line.arg, memory },
        observation: { result: line.ret, errno: line.errno, memory: changed },
      };
    }
  }
};

const mappedFileOf = (line: CallLine): Pick<RecordedCall, 'mappedFile'> => {
  if (line.call !== 'ioctl' || line.backing !== 'memory-file') return {};
  const { file = 0, size = 0n } = line;
  return { mappedFile: { file, size } };
};

export const callOf = (number: number, line: CallLine): RecordedCall => ({
  line: number,
  sequence: line.seq,
  fd: fileDescriptor(line.fd),
  path: line.path,
  ...callAndAnswer(line),
  mappings: line.call === 'ioctl' ? line.vmas : undefined,
  ...mappedFileOf(line),
});

const CALL = kindOf('call', CALLS);

/** A line that is a call. Throws BadInput. */
export const parseCall = (file: string, line: number, text: string): RecordedCall =>
  callOf(line, readJson(CALL, file, line, text));
