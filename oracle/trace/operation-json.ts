// A program's operations as JSON and back. Numbers of 64 bits are hexadecimal text; handles and places in the arena are
// objects, as in the program itself.

import {
  type Argument,
  LAYOUTS,
  type Operation,
  type Value,
  type WordsInMemory,
} from '../../model/programs/program.ts';
import { CALL_KINDS } from './call-kinds.ts';
import { type Fields, HEX, isObject, SIGNED_HEX, signedOf } from './fields.ts';

const handleOrNumber = (fields: Fields, value: unknown, name: string): Value => {
  if (typeof value === 'string' && HEX.test(value)) return BigInt(value);
  if (isObject(value)) {
    const { arena, from, out } = value;
    const count = Object.keys(value).length;
    if (count === 1 && typeof arena === 'string' && SIGNED_HEX.test(arena)) {
      return { arena: signedOf(arena) };
    }
    if (count === 2 && typeof from === 'string' && typeof out === 'string') return { from, out };
  }
  return fields.fail(
    `"${name}" is neither a hexadecimal number, {"arena": ...} nor {"from": ..., "out": ...}`,
  );
};

const wordsOf = (fields: Fields): WordsInMemory => {
  fields.only('at', 'words');
  return {
    at: handleOrNumber(fields, fields.raw('at'), 'at'),
    words: fields.list('words').map((word) => handleOrNumber(fields, word, 'words')),
  };
};

const structOf = (fields: Fields): Argument => {
  fields.only('kind', 'at', 'layout', 'fields', 'length', 'tail', 'also');
  const name = fields.text('layout');
  const layout = LAYOUTS.get(name);
  if (layout === undefined) return fields.fail(`no struct is called ${name}`);
  const given = fields.object('fields');
  given.only(...layout.fields.map((field) => field.name));
  const values: Record<string, Value> = {};
  for (const field of given.names()) values[field] = handleOrNumber(given, given.raw(field), field);
  const length = fields.has('length') ? fields.integer('length') : undefined;
  if (length !== undefined && (length < 0 || length > layout.size)) {
    fields.fail(`"length" is not between 0 and the ${layout.size} bytes of ${name}`);
  }
  return {
    kind: 'struct',
    at: handleOrNumber(fields, fields.raw('at'), 'at'),
    layout: name,
    fields: values,
    ...(length === undefined ? {} : { length }),
    ...(fields.has('tail') ? { tail: fields.digits('tail') } : {}),
    ...(fields.has('also') ? { also: fields.objects('also').map(wordsOf) } : {}),
  };
};

const argumentOf = (fields: Fields): Argument => {
  switch (fields.word('kind', ['plain', 'struct', 'bytes'])) {
    case 'plain':
      fields.only('kind', 'value');
      return { kind: 'plain', value: handleOrNumber(fields, fields.raw('value'), 'value') };
    case 'bytes':
      fields.only('kind', 'at', 'hex');
      return {
        kind: 'bytes',
        at: handleOrNumber(fields, fields.raw('at'), 'at'),
        hex: fields.digits('hex'),
      };
    case 'struct':
      return structOf(fields);
  }
};

const PAGE_MASK = 0xfffn;

/** An offset or a length that is whole pages. */
const pages = (fields: Fields, name: string): bigint => {
  const value = fields.hex(name);
  if ((value & PAGE_MASK) !== 0n) fields.fail(`"${name}" is not whole pages of 4096 bytes`);
  return value;
};

type Mmap = Extract<Operation, { op: 'mmap' }>;

const backingOf = (fields: Fields): Mmap['backing'] => {
  const kind = fields.word('kind', ['anonymous', 'device', 'huge', 'memfd']);
  if (kind !== 'memfd') {
    fields.only('kind');
    return { kind };
  }
  fields.only('kind', 'fd', 'offset');
  return {
    kind,
    fd: handleOrNumber(fields, fields.raw('fd'), 'fd'),
    offset: pages(fields, 'offset'),
  };
};

const mmapOf = (fields: Fields, label: string): Mmap => {
  fields.only('op', 'label', 'offset', 'length', 'protection', 'shared', 'backing');
  return {
    op: 'mmap',
    label,
    offset: pages(fields, 'offset'),
    length: pages(fields, 'length'),
    protection: fields.word('protection', ['none', 'read', 'read-write']),
    shared: fields.flag('shared'),
    backing: backingOf(fields.object('backing')),
  };
};

const COMMAND_MAX = 0xffff_ffffn;

const ioctlOf = (fields: Fields, label: string): Operation => {
  fields.only('op', 'label', 'fd', 'command', 'argument');
  const command = fields.hex('command');
  if (command > COMMAND_MAX) fields.fail('"command" is no number of 32 bits');
  return {
    op: 'ioctl',
    label,
    fd: handleOrNumber(fields, fields.raw('fd'), 'fd'),
    command: Number(command),
    argument: argumentOf(fields.object('argument')),
  };
};

const dmaOf = (fields: Fields, label: string): Operation => {
  fields.only('op', 'label', 'fd', 'direction', 'iova', 'length', 'look');
  return {
    op: 'dma',
    label,
    fd: handleOrNumber(fields, fields.raw('fd'), 'fd'),
    direction: fields.word('direction', ['read', 'write']),
    iova: handleOrNumber(fields, fields.raw('iova'), 'iova'),
    length: fields.integer('length'),
    ...(fields.has('look') ? { look: fields.signedHex('look') } : {}),
  };
};

export const operationOf = (fields: Fields): Operation => {
  const label = fields.text('label');
  switch (fields.word('op', CALL_KINDS)) {
    case 'open':
      fields.only('op', 'label', 'path');
      return { op: 'open', label, path: fields.text('path') };
    case 'close':
      fields.only('op', 'label', 'fd');
      return { op: 'close', label, fd: handleOrNumber(fields, fields.raw('fd'), 'fd') };
    case 'ioctl':
      return ioctlOf(fields, label);
    case 'memfd':
      fields.only('op', 'label', 'length');
      return { op: 'memfd', label, length: fields.hex('length') };
    case 'mmap':
      return mmapOf(fields, label);
    case 'munmap':
      fields.only('op', 'label', 'offset', 'length');
      return {
        op: 'munmap',
        label,
        offset: pages(fields, 'offset'),
        length: pages(fields, 'length'),
      };
    case 'dma':
      return dmaOf(fields, label);
    case 'status':
      fields.only('op', 'label', 'field');
      return { op: 'status', label, field: fields.word('field', ['VmLck', 'VmPin']) };
    case 'store':
      fields.only('op', 'label', 'offset', 'hex');
      return { op: 'store', label, offset: fields.signedHex('offset'), hex: fields.digits('hex') };
  }
};

/** Without fields that the struct does not have: they put nothing anywhere. */
const argumentJson = (argument: Argument): Argument => {
  if (argument.kind !== 'struct') return argument;
  const layout = LAYOUTS.get(argument.layout);
  const fields = Object.entries(argument.fields).filter(([name]) =>
    layout?.fields.some((field) => field.name === name),
  );
  return { ...argument, fields: Object.fromEntries(fields) };
};

/** The operation with its command as text; the rest is what jsonLine makes of it. */
export const operationJson = (operation: Operation): unknown =>
  operation.op === 'ioctl'
    ? {
        ...operation,
        command: `0x${operation.command.toString(16)}`,
        argument: argumentJson(operation.argument),
      }
    : operation;
