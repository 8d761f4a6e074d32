// The lines of a recording of version 2 that are no calls on descriptors of interest: what becomes of processes, of
// copies of descriptors, and of the program's memory.

import { type Fd, fileDescriptor } from '../../spec/abi/units.ts';
import type { Stretch, ToldBacking, ToldMapping } from '../../spec/knowledge/followed.ts';
import type { Process, Protection } from '../../spec/terms/call.ts';
import { Fields, parseObject } from './fields.ts';

export type RecordedEvent = { readonly process: Process; readonly sequence: number } & (
  | { readonly kind: 'mmap'; readonly mapping: ToldMapping }
  | { readonly kind: 'munmap'; readonly stretch: Stretch }
  | { readonly kind: 'mprotect'; readonly stretch: Stretch; readonly protection: Protection }
  | {
      readonly kind: 'mremap';
      readonly from: Stretch;
      readonly to: Stretch;
      /** The old range stays mapped, empty. */
      readonly keeps: boolean;
    }
  | { readonly kind: 'madvise'; readonly stretch: Stretch; readonly advice: Advice }
  | { readonly kind: 'exec'; readonly mappings: readonly ToldMapping[] }
  | { readonly kind: 'fork'; readonly child: Process }
  | { readonly kind: 'exit' }
  | { readonly kind: 'dup'; readonly from: Fd; readonly fd: Fd; readonly path: string }
);

const ADVICE = ['DONTNEED', 'DONTNEED_LOCKED', 'FREE', 'REMOVE'] as const;
export type Advice = (typeof ADVICE)[number];

const KINDS = ['mmap', 'munmap', 'mprotect', 'mremap', 'madvise', 'exec', 'fork', 'exit', 'dup'];
const BACKINGS = ['anonymous', 'memory-file', 'device', 'file'] as const;
const PERMISSIONS = /^([r-])([w-])[x-]([ps]?)$/;

const stretchOf = (fields: Fields, at = 'addr', length = 'length'): Stretch => {
  const start = fields.hex(at);
  return { start, last: start + fields.hex(length) - 1n };
};

const permissionsOf = (
  fields: Fields,
): { readonly protection: Protection; readonly shared: boolean } => {
  const found = PERMISSIONS.exec(fields.text('perm'));
  if (found === null) fields.fail('"perm" is not like "rw-p"');
  const [, readable, writable, sharing] = found;
  const protection = writable === 'w' ? 'read-write' : readable === 'r' ? 'read' : 'none';
  return { protection, shared: sharing === 's' };
};

const backingOf = (fields: Fields): ToldBacking => {
  const kind = fields.word('backing', BACKINGS);
  return kind === 'memory-file'
    ? { kind, file: fields.integer('file'), offset: fields.hex('offset') }
    : { kind };
};

/** What a program has from its start: nothing tells of what, but private memory is its own. */
const startOf = (fields: Fields): ToldMapping => {
  const { protection, shared } = permissionsOf(fields);
  const backing = { kind: shared ? 'file' : 'anonymous' } as const;
  return { start: fields.hex('start'), last: fields.hex('end') - 1n, protection, shared, backing };
};

const parsed = (fields: Fields, kind: string): RecordedEvent => {
  const of = { process: fields.integer('pid'), sequence: fields.integer('seq') };
  switch (kind) {
    case 'mmap':
      return {
        kind,
        ...of,
        mapping: { ...stretchOf(fields), ...permissionsOf(fields), backing: backingOf(fields) },
      };
    case 'munmap':
      return { kind, ...of, stretch: stretchOf(fields) };
    case 'mprotect':
      return {
        kind,
        ...of,
        stretch: stretchOf(fields),
        protection: permissionsOf(fields).protection,
      };
    case 'mremap': {
      const to = stretchOf(fields, 'to', 'toLength');
      return { kind, ...of, from: stretchOf(fields), to, keeps: fields.flag('keeps') };
    }
    case 'madvise':
      return { kind, ...of, stretch: stretchOf(fields), advice: fields.word('advice', ADVICE) };
    case 'exec':
      return { kind, ...of, mappings: fields.objects('vmas').map(startOf) };
    case 'fork':
      return { kind, ...of, child: fields.integer('child') };
    case 'dup': {
      const from = fileDescriptor(fields.integer('from'));
      const fd = fileDescriptor(fields.integer('fd'));
      return { kind, ...of, from, fd, path: fields.text('path') };
    }
    default:
      return { kind: 'exit', ...of };
  }
};

/** Nothing where the line is a call. Throws BadInput where it is an event, and not as one should be. */
export const parseEvent = (file: string, line: number, text: string): RecordedEvent | undefined => {
  const value = parseObject(file, line, text);
  const kind = value.call;
  return typeof kind === 'string' && KINDS.includes(kind)
    ? parsed(new Fields(file, line, value), kind)
    : undefined;
};
