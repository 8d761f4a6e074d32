// SPDX-License-Identifier: MIT
// Calls of a syzkaller program on files: opening, duplicating and closing descriptors, and memory with a descriptor.

import type { Operation, Value } from '../../model/programs/program.ts';
import { latin1Of } from '../../spec/abi/bytes-text.ts';
import { mayOpen } from '../safety/permitted.ts';
import { bytesOfData } from './call-memory.ts';
import type { ConvertContext } from './convert-context.ts';
import { NO_DESCRIPTORS } from './no-descriptor.ts';
import { NotCarriedOver } from './not-carried-over.ts';
import type { SyzArgument, SyzCall } from './tree.ts';

/** Paths that syzkaller's descriptions have, where a program leaves them out. */
const PATHS: Readonly<Record<string, string>> = {
  openat$iommufd: '/dev/iommu',
  openat$vfio: '/dev/vfio/vfio',
};

/** Characters of a path in a note. */
const PATH_SHOWN = 60;

const O_CREAT_EXCL = 0xc0n;
/** O_DIRECT, O_DIRECTORY and O_TMPFILE: no open of a device succeeds with these. With O_PATH no ioctl does. */
const FAILING_OPEN = 0x4000n | 0x1_0000n | 0x40_0000n | 0x20_0000n;

/** MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_NOEXEC_SEAL, MFD_EXEC. */
const PLAIN_MEMFD = 0x1bn;

const FILE_LENGTH_END = 1n << 63n;

const pathOf = (name: string, argument: SyzArgument | undefined): string | undefined => {
  const content = argument?.kind === 'pointer' ? argument.content : undefined;
  if (content === undefined || content.kind === 'nil') return PATHS[name];
  if (content.kind !== 'data') return undefined;
  const bytes = bytesOfData(content);
  const end = bytes.indexOf(0);
  return latin1Of(end < 0 ? bytes : bytes.subarray(0, end));
};

/** `rest` are the arguments from the path on. */
const open = (context: ConvertContext, call: SyzCall, rest: readonly SyzArgument[]): void => {
  const path = pathOf(call.name, rest[0]);
  if (path === undefined || !mayOpen(path)) {
    const file = path === undefined ? 'a file' : path.slice(0, PATH_SHOWN);
    context.note(`skipped: ${call.name} opens ${file}, which is not of VFIO or iommufd`);
    if (call.result !== undefined) context.results.giveSkipped(call.result, call.line);
    return;
  }
  const flags = context.constant(rest[1], 'the flags of open');
  if ((flags & FAILING_OPEN) !== 0n || (flags & O_CREAT_EXCL) === O_CREAT_EXCL) {
    context.note(
      `left out: with the flags 0x${flags.toString(16)} it gives no descriptor for calls`,
    );
    context.results.giveNone(call.result);
    return;
  }
  const label = context.label('open');
  context.push({ op: 'open', label, path });
  context.results.giveDescriptor(call.result, { from: label, out: 'result' });
};

const close = (context: ConvertContext, { arguments: [argument] }: SyzCall): void => {
  if (argument?.kind === 'result' && context.results.isSkipped(argument.name)) {
    context.note(`skipped: "${argument.name}" is of a call that is skipped`);
    return;
  }
  const value =
    argument?.kind === 'result'
      ? context.results.close(argument.name)
      : context.number(argument, 'a descriptor');
  if (value === 'none') {
    context.note('left out: no call before gave a descriptor');
    return;
  }
  if (value === 'stays open') {
    context.note('left out: another descriptor keeps the file open');
    return;
  }
  context.push({ op: 'close', label: context.label('close'), fd: value });
};

const duplicate = (context: ConvertContext, call: SyzCall): void => {
  const [argument] = call.arguments;
  if (call.result === undefined) {
    context.note('left out: no call uses the descriptor');
    return;
  }
  if (argument?.kind === 'result' && context.results.duplicate(argument.name, call.result)) return;
  if (argument?.kind === 'number' && NO_DESCRIPTORS.has(argument.value)) {
    context.results.giveNone(call.result);
    return;
  }
  throw new NotCarriedOver('what is duplicated is no descriptor that a call before gave');
};

const createMemfd = (context: ConvertContext, call: SyzCall): void => {
  const flags = context.constant(call.arguments[1], 'the flags of memfd_create');
  if ((flags & ~PLAIN_MEMFD) !== 0n) {
    throw new NotCarriedOver(`a memfd with the flags 0x${flags.toString(16)} is not carried over`);
  }
  const label = context.label('memfd');
  context.push({ op: 'memfd', label, length: 0n });
  context.results.giveDescriptor(call.result, { from: label, out: 'result' });
};

/** Whether the operation names what one of that label gave. */
const names = (value: unknown, label: string): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([key, part]) => (key === 'from' && part === label) || names(part, label),
  );
};

const isNone = (value: Value): boolean => typeof value === 'bigint' && NO_DESCRIPTORS.has(value);

/** A program here makes a file with its length: it can only be given before the file is used. */
const truncate = (context: ConvertContext, call: SyzCall): void => {
  const [fd, lengthArgument] = call.arguments;
  const length = context.constant(lengthArgument, 'the length of the file');
  const value = context.number(fd, 'a descriptor');
  const label = typeof value === 'object' && 'from' in value ? value.from : undefined;
  const { operations } = context;
  const index = operations.findIndex(({ operation }) => operation.label === label);
  const made = operations[index];
  if (made?.operation.op === 'open' || made?.operation.op === 'ioctl' || isNone(value)) {
    context.note('left out: it fails for what is no regular file');
    return;
  }
  if (label === undefined || made?.operation.op !== 'memfd') {
    throw new NotCarriedOver('ftruncate is carried over for a memfd alone');
  }
  const isUsed = operations.slice(index + 1).some(({ operation }) => names(operation, label));
  if (isUsed || made.operation.length !== 0n) {
    throw new NotCarriedOver('the length of a file is set once, before the file is used');
  }
  if (length >= FILE_LENGTH_END) throw new NotCarriedOver('the length of a file is below 2^63');
  const sized: Operation = { ...made.operation, length };
  operations[index] = { ...made, operation: sized };
};

/** By the name before "$". They throw NotCarriedOver. */
export const FILE_CALLS: Readonly<
  Record<string, (context: ConvertContext, call: SyzCall) => void>
> = {
  open: (context, call) => open(context, call, call.arguments),
  openat: (context, call) => open(context, call, call.arguments.slice(1)),
  close,
  dup: duplicate,
  memfd_create: createMemfd,
  ftruncate: truncate,
};
