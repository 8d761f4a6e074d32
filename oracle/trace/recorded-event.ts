// SPDX-License-Identifier: MIT
// The lines of a recording from version 2 on that are not calls on recorded files: changes of processes, of
// descriptors, and of the program's memory.

import * as v from 'valibot';
import { type Fd, fileDescriptor } from '../../spec/abi/units.ts';
import type { EventBacking, EventMapping, MemoryRange } from '../../spec/knowledge/followed.ts';
import type { Process, Protection } from '../../spec/terms/call.ts';
import { mappings, permissions, type RecordedMapping } from './recorded-mapping.ts';
import { backing, common, fileNumber, pid } from './recording.ts';
import { exactly, flag, must, openFd, openFields, pages, text, u64, word } from './values.ts';

export type RecordedEvent = { readonly process: Process; readonly sequence: number } & (
  | { readonly kind: 'mmap'; readonly mapping: EventMapping }
  | { readonly kind: 'munmap'; readonly span: MemoryRange }
  | { readonly kind: 'mprotect'; readonly span: MemoryRange; readonly protection: Protection }
  | {
      readonly kind: 'mremap';
      readonly from: MemoryRange;
      readonly to: MemoryRange;
      /** The old range stays mapped, empty. */
      readonly keeps: boolean;
    }
  | { readonly kind: 'madvise'; readonly span: MemoryRange; readonly advice: Advice }
  | { readonly kind: 'exec'; readonly mappings: readonly EventMapping[] }
  | { readonly kind: 'fork'; readonly child: Process }
  | { readonly kind: 'exit' }
  | { readonly kind: 'dup'; readonly from: Fd; readonly fd: Fd; readonly path: string }
);

const ADVICE = ['DONTNEED', 'DONTNEED_LOCKED', 'FREE', 'REMOVE'] as const;
export type Advice = (typeof ADVICE)[number];

/** A program's addresses have at most 57 bits. */
const inUser = v.pipe(pages, v.maxValue(1n << 57n, must('at most 2^57')));

/** The range that a program maps. A call with length 0 succeeds and does nothing. */
const place = { addr: inUser, length: inUser };

const spanOf = (addr: bigint, length: bigint): MemoryRange => ({
  start: addr,
  last: addr + length - 1n,
});

/** "rw-": a change of protection does not affect sharing. */
const rights = v.pipe(
  v.string(must('rights like "rw-"')),
  v.regex(/^[r-][w-][x-]$/, must('rights like "rw-"')),
);

const protectionOf = (perm: string): Protection =>
  perm[1] === 'w' ? 'read-write' : perm[0] === 'r' ? 'read' : 'none';

const mmap = v.pipe(
  openFields({
    ...common,
    call: exactly('mmap'),
    ...place,
    perm: permissions,
    backing,
    file: v.exactOptional(fileNumber),
    offset: v.exactOptional(u64),
  }),
  v.check(({ length }) => length > 0n, 'must have a "length"'),
  v.check(
    ({ backing, file, offset }) =>
      backing !== 'memory-file' || (file !== undefined && offset !== undefined),
    'must have "file" and "offset" of a "backing" that is a memory-file',
  ),
);

/** Lines by their `call`, other than the calls themselves. */
export const EVENTS = {
  mmap,
  munmap: openFields({ ...common, call: exactly('munmap'), ...place }),
  mprotect: openFields({ ...common, call: exactly('mprotect'), ...place, perm: rights }),
  mremap: openFields({
    ...common,
    call: exactly('mremap'),
    ...place,
    to: inUser,
    toLength: inUser,
    keeps: flag,
  }),
  madvise: openFields({ ...common, call: exactly('madvise'), ...place, advice: word(ADVICE) }),
  exec: openFields({ ...common, call: exactly('exec'), vmas: mappings }),
  fork: openFields({ ...common, call: exactly('fork'), child: pid }),
  exit: openFields({ ...common, call: exactly('exit') }),
  dup: openFields({ ...common, call: exactly('dup'), fd: openFd, path: text, from: openFd }),
};

type EventLine = v.InferOutput<(typeof EVENTS)[keyof typeof EVENTS]>;

const backingOf = ({
  backing: kind,
  file = 0,
  offset = 0n,
}: v.InferOutput<typeof mmap>): EventBacking =>
  kind === 'memory-file' ? { kind, file, offset } : { kind };

/** A mapping from the program's start: its backing is not known, but private memory is its own. */
const startOf = ({ start, last, readable, writable, shared }: RecordedMapping): EventMapping => ({
  start,
  last,
  protection: writable ? 'read-write' : readable ? 'read' : 'none',
  shared,
  backing: { kind: shared ? 'file' : 'anonymous' },
});

export const eventOf = (line: EventLine): RecordedEvent => {
  const of = { process: line.pid, sequence: line.seq };
  switch (line.call) {
    case 'mmap': {
      const { perm } = line;
      const how = { protection: protectionOf(perm), shared: perm[3] === 's' };
      const mapping = { ...spanOf(line.addr, line.length), ...how, backing: backingOf(line) };
      return { kind: 'mmap', ...of, mapping };
    }
    case 'munmap':
      return { kind: 'munmap', ...of, span: spanOf(line.addr, line.length) };
    case 'mprotect': {
      const protection = protectionOf(line.perm);
      return { kind: 'mprotect', ...of, span: spanOf(line.addr, line.length), protection };
    }
    case 'mremap': {
      const to = spanOf(line.to, line.toLength);
      return {
        kind: 'mremap',
        ...of,
        from: spanOf(line.addr, line.length),
        to,
        keeps: line.keeps,
      };
    }
    case 'madvise':
      return {
        kind: 'madvise',
        ...of,
        span: spanOf(line.addr, line.length),
        advice: line.advice,
      };
    case 'exec':
      return { kind: 'exec', ...of, mappings: line.vmas.map(startOf) };
    case 'fork':
      return { kind: 'fork', ...of, child: line.child };
    case 'exit':
      return { kind: 'exit', ...of };
    case 'dup':
      return {
        kind: 'dup',
        ...of,
        from: fileDescriptor(line.from),
        fd: fileDescriptor(line.fd),
        path: line.path,
      };
  }
};
