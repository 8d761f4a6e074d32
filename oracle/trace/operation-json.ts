// SPDX-License-Identifier: MIT
// A program's operations as JSON and back. Numbers of 64 bits are hexadecimal text; handles and arena addresses are
// objects, as in the program itself.

import * as v from 'valibot';
import {
  type Argument,
  LAYOUTS,
  type Operation,
  type Value,
} from '../../model/programs/program.ts';
import type { Layout } from '../../spec/abi/layout.ts';
import { BYTES_MAX, TRANSFER_MAX, WORDS_MAX } from './limits.ts';
import {
  ARENA_FIRST,
  ARENA_LAST,
  digits,
  entriesOf,
  exactly,
  fieldOf,
  fields,
  flag,
  isObject,
  kindOf,
  list,
  must,
  openFields,
  pages,
  signed,
  text,
  u32,
  u64,
  whole,
  word,
} from './values.ts';

/** Bytes from the arena's base to an address of 64 bits. */
const FIRST = -ARENA_FIRST;
const LAST = (1n << 64n) - 1n - ARENA_LAST;
const BEYOND = must('an offset to an address of 64 bits');

const offset = v.pipe(signed, v.minValue(FIRST, BEYOND), v.maxValue(LAST, BEYOND));

const inArena = fields({ arena: signed });
const ofResult = fields({ from: text, out: text });
const noValue = v.never(must('a hexadecimal number, {"arena": ...} or {"from": ..., "out": ...}'));

const value = v.lazy((input) => {
  if (typeof input === 'string') return signed;
  if (!isObject(input)) return noValue;
  return fieldOf(input, 'arena') === undefined ? ofResult : inArena;
});

const words = fields({ at: value, words: list(value, WORDS_MAX) });

/** A struct's argument: each layout has fields of its own. */
const structOf = (name: string, layout: Layout) =>
  fields({
    kind: exactly('struct'),
    at: value,
    layout: exactly(name),
    fields: v.pipe(
      entriesOf<Value>(
        value,
        layout.fields.map((field) => field.name),
      ),
      v.transform((values): Readonly<Record<string, Value>> => Object.fromEntries(values)),
    ),
    length: v.exactOptional(whole(0, layout.size)),
    tail: v.exactOptional(digits(BYTES_MAX)),
    also: v.exactOptional(list(words, WORDS_MAX)),
  });

type StructSchema = ReturnType<typeof structOf>;

const structs = new Map<string, StructSchema>();

/** Made at first use. */
const structNamed = (name: string, layout: Layout): StructSchema => {
  const known = structs.get(name) ?? structOf(name, layout);
  structs.set(name, known);
  return known;
};

const noStruct = openFields({ layout: word([...LAYOUTS.keys()]) });

const struct = v.lazy((input) => {
  const name = fieldOf(input, 'layout');
  const layout = typeof name === 'string' ? LAYOUTS.get(name) : undefined;
  return layout === undefined
    ? (noStruct as unknown as StructSchema)
    : structNamed(name as string, layout);
});

const argument = kindOf('kind', {
  plain: fields({ kind: exactly('plain'), value }),
  bytes: fields({ kind: exactly('bytes'), at: value, hex: digits(BYTES_MAX) }),
  struct,
});

const anonymous = (kind: 'anonymous' | 'device' | 'huge') => fields({ kind: exactly(kind) });

const backing = kindOf('kind', {
  anonymous: anonymous('anonymous'),
  device: anonymous('device'),
  huge: anonymous('huge'),
  memfd: fields({ kind: exactly('memfd'), fd: value, offset: u64 }),
});

export const protection = word(['none', 'read', 'read-write']);
export const direction = word(['read', 'write']);
export const statusField = word(['VmLck', 'VmPin']);
/** A file's length, which is signed in the kernel. */
export const fileLength = v.pipe(u64, v.maxValue((1n << 63n) - 1n, must('less than 2^63')));
export const transferLength = whole(1, TRANSFER_MAX);

/** Where a program may map memory: in the arena, and in the hole after it. */
const HOLE_MAX = 1n << 43n;
const inHole = v.pipe(pages, v.maxValue(HOLE_MAX, must('at most 2^43 bytes')));
const span = { offset: inHole, length: inHole };

const label = text;

export const OPERATION: v.GenericSchema<unknown, Operation> = kindOf('op', {
  open: fields({ op: exactly('open'), label, path: text }),
  close: fields({ op: exactly('close'), label, fd: value }),
  ioctl: fields({ op: exactly('ioctl'), label, fd: value, command: u32, argument }),
  memfd: fields({ op: exactly('memfd'), label, length: fileLength }),
  mmap: fields({
    op: exactly('mmap'),
    label,
    ...span,
    protection,
    shared: flag,
    backing,
  }),
  munmap: fields({ op: exactly('munmap'), label, ...span }),
  dma: fields({
    op: exactly('dma'),
    label,
    fd: value,
    direction,
    iova: value,
    length: transferLength,
    look: v.exactOptional(offset),
  }),
  status: fields({ op: exactly('status'), label, field: statusField }),
  store: fields({ op: exactly('store'), label, offset, hex: digits(BYTES_MAX) }),
});

/** Without fields that the struct does not have: they have no effect. */
const argumentJson = (argument: Argument): Argument => {
  if (argument.kind !== 'struct') return argument;
  const layout = LAYOUTS.get(argument.layout);
  const fields = Object.entries(argument.fields).filter(([name]) =>
    layout?.fields.some((field) => field.name === name),
  );
  return { ...argument, fields: Object.fromEntries(fields) };
};

/** The operation with its command as text; jsonLine converts the rest. */
export const operationJson = (operation: Operation): unknown =>
  operation.op === 'ioctl'
    ? {
        ...operation,
        command: `0x${operation.command.toString(16)}`,
        argument: argumentJson(operation.argument),
      }
    : operation;
