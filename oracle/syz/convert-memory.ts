// SPDX-License-Identifier: MIT
// Calls of a syzkaller program that change its memory: mmap, munmap, the mremap that only cuts, and writes to no file,
// which put bytes into memory.

import type { Operation } from '../../model/programs/program.ts';
import { PAGE_SIZE_BYTES } from '../../spec/abi/units.ts';
import type { Protection } from '../../spec/terms/call.ts';
import { bytesOfData } from './call-memory.ts';
import type { ConvertContext } from './convert-context.ts';
import { AREA_LENGTH } from './data-area.ts';
import { NO_DESCRIPTORS } from './no-descriptor.ts';
import { NotCarriedOver } from './not-carried-over.ts';
import type { SyzCall } from './tree.ts';

type Backing = Extract<Operation, { op: 'mmap' }>['backing'];

const MAP_SHARED = 1n;
const MAP_PRIVATE = 2n;
const MAP_SHARED_VALIDATE = 3n;
const MAP_TYPE = 0xfn;
const MAP_FIXED = 0x10n;
const MAP_ANONYMOUS = 0x20n;
const MAP_HUGETLB = 0x4_0000n;
/**
 * MAP_32BIT, MAP_DENYWRITE, MAP_EXECUTABLE, MAP_NORESERVE, MAP_POPULATE, MAP_NONBLOCK, MAP_STACK, MAP_UNINITIALIZED: no
 * effect here.
 */
const MAP_NO_EFFECT =
  0x40n | 0x800n | 0x1000n | 0x4000n | 0x8000n | 0x1_0000n | 0x2_0000n | 0x400_0000n;
const MAP_KNOWN = MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NO_EFFECT;

/** By PROT_READ and PROT_WRITE, which permits reads too. */
const PROTECTIONS: readonly Protection[] = ['none', 'read', 'read-write', 'read-write'];
const PROT_EXEC = 4n;

type Range = { readonly offset: bigint; readonly length: bigint };

/** Whole pages within the area; undefined where the kernel refuses the call. Throws NotCarriedOver. */
const rangeOf = (context: ConvertContext, call: SyzCall): Range | undefined => {
  const [address, length] = call.arguments;
  const offset = context.memory(address);
  const bytes = context.constant(length, 'the length of memory');
  if (offset % PAGE_SIZE_BYTES !== 0n || bytes === 0n) {
    context.note(`left out: ${call.name} fails, as it is of no whole page`);
    return undefined;
  }
  const whole = (bytes + PAGE_SIZE_BYTES - 1n) & -PAGE_SIZE_BYTES;
  if (offset < 0n || offset + whole > AREA_LENGTH) {
    throw new NotCarriedOver(`${call.name} reaches beyond the 16 MiB of a program's memory`);
  }
  return { offset, length: whole };
};

/** mmap ignores all bits but three. */
const PROTECTION_BITS = 7n;

const protectionOf = (all: bigint): Protection => {
  const bits = all & PROTECTION_BITS;
  const protection = PROTECTIONS[Number(bits & 3n)];
  if (bits === PROT_EXEC || protection === undefined) {
    throw new NotCarriedOver('memory that can only be executed is not carried over');
  }
  return protection;
};

const backingOf = (context: ConvertContext, call: SyzCall, flags: bigint): Backing => {
  if ((flags & MAP_ANONYMOUS) !== 0n) {
    return { kind: (flags & MAP_HUGETLB) !== 0n ? 'huge' : 'anonymous' };
  }
  const [, , , , fd, offset] = call.arguments;
  return {
    kind: 'memfd',
    fd: context.number(fd, 'the descriptor of mmap'),
    offset: context.constant(offset, 'the offset of mmap'),
  };
};

const map = (context: ConvertContext, call: SyzCall): void => {
  const bits = context.constant(call.arguments[2], 'the protection of memory');
  const flags = context.constant(call.arguments[3], 'the flags of mmap');
  if ((flags & MAP_FIXED) === 0n) {
    if ((flags & MAP_ANONYMOUS) === 0n)
      throw new NotCarriedOver('a file is mapped without MAP_FIXED');
    context.note('skipped: without MAP_FIXED the kernel chooses a place that no other call names');
    return;
  }
  const type = flags & MAP_TYPE;
  if (type === 0n) {
    context.note('left out: it fails, as the memory is neither shared nor private');
    return;
  }
  const isKnown = type === MAP_SHARED || type === MAP_PRIVATE || type === MAP_SHARED_VALIDATE;
  if (!isKnown || (flags & ~MAP_KNOWN) !== 0n) {
    throw new NotCarriedOver(`mmap with the flags 0x${flags.toString(16)} is not carried over`);
  }
  const range = rangeOf(context, call);
  if (range === undefined) return;
  context.push({
    op: 'mmap',
    label: context.label('mmap'),
    ...range,
    protection: protectionOf(bits),
    shared: type !== MAP_PRIVATE,
    backing: backingOf(context, call, flags),
  });
};

const unmap = (context: ConvertContext, call: SyzCall): void => {
  const range = rangeOf(context, call);
  if (range !== undefined) context.push({ op: 'munmap', label: context.label('munmap'), ...range });
};

const MREMAP_FIXED = 2n;

/** Pages that move stay the same pages, which no operation of a program does. */
const remap = (context: ConvertContext, call: SyzCall): void => {
  const range = rangeOf(context, call);
  if (range === undefined) return;
  const wanted = context.constant(call.arguments[2], 'the new length of memory');
  const flags = context.constant(call.arguments[3], 'the flags of mremap');
  const length = (wanted + PAGE_SIZE_BYTES - 1n) & -PAGE_SIZE_BYTES;
  if (
    length === 0n ||
    length > range.length ||
    (flags & ~1n) !== 0n ||
    (flags & MREMAP_FIXED) !== 0n
  ) {
    throw new NotCarriedOver('mremap is carried over where it only cuts memory at its end');
  }
  if (length === range.length) return;
  context.push({
    op: 'munmap',
    label: context.label('munmap'),
    offset: range.offset + length,
    length: range.length - length,
  });
};

/** The call fails, and syzkaller has put its bytes into memory before it. */
const write = (context: ConvertContext, call: SyzCall): void => {
  const { offset, bytes } = written(context, call);
  context.store(offset, bytes);
};

/** The same for the call that follows. */
const fill = (context: ConvertContext, call: SyzCall): void => {
  const { offset, bytes } = written(context, call);
  context.fill(offset, bytes);
};

const written = (
  context: ConvertContext,
  call: SyzCall,
): { readonly offset: bigint; readonly bytes: Uint8Array } => {
  const [fd, buffer] = call.arguments;
  const content = buffer?.kind === 'pointer' ? buffer.content : undefined;
  if (fd?.kind !== 'number' || !NO_DESCRIPTORS.has(fd.value)) {
    throw new NotCarriedOver('bytes are written to a file');
  }
  if (content?.kind !== 'data') throw new NotCarriedOver('what is written is no string');
  return { offset: context.memory(buffer), bytes: bytesOfData(content) };
};

/** By the name before "$". They throw NotCarriedOver. */
export const MEMORY_CALLS: Readonly<
  Record<string, (context: ConvertContext, call: SyzCall) => void>
> = {
  mmap: map,
  munmap: unmap,
  mremap: remap,
  write,
  pwrite64: fill,
};
