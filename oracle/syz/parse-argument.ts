// SPDX-License-Identifier: MIT
// One argument of a call of a syzkaller program, with all that is in it: docs/program_syntax.md of syzkaller.

import { type LineReader, SyzSyntaxError } from './line-reader.ts';
import { parseData } from './parse-data.ts';
import type { SyzArgument } from './tree.ts';

/** Arguments within each other. */
export const ARGUMENT_DEPTH_MAX = 64;

const number = (reader: LineReader): SyzArgument => {
  const { column } = reader;
  return { kind: 'number', column, value: reader.number('a number') };
};

const result = (reader: LineReader): SyzArgument => {
  const { column } = reader;
  const name = reader.word('the name of a result');
  const divisor = reader.takes('/') ? reader.number('a divisor') : 1n;
  const increment = reader.takes('+') ? reader.number('what is added') : 0n;
  return { kind: 'result', column, name, divisor: divisor === 0n ? 1n : divisor, increment };
};

const pointer = (reader: LineReader, depth: number): SyzArgument => {
  const { column } = reader;
  reader.expect('&');
  let address: bigint | undefined;
  let length: bigint | undefined;
  if (!reader.takes('AUTO')) {
    reader.expect('(');
    address = reader.number('an address');
    if (reader.takes('/')) length = reader.number('the length of memory');
    reader.expect(')');
  }
  if (!reader.takes('=')) {
    return { kind: 'pointer', column, address, length, isAny: false, content: undefined };
  }
  const isAny = reader.takes('ANY');
  if (isAny) reader.expect('=');
  const content = parseArgument(reader, depth + 1);
  return { kind: 'pointer', column, address, length, isAny, content };
};

/** The arguments up to a bracket that closes them. */
const listed = (reader: LineReader, end: string, depth: number): readonly SyzArgument[] => {
  const all: SyzArgument[] = [];
  while (!reader.takes(end)) {
    all.push(parseArgument(reader, depth + 1));
    if (reader.next !== end) reader.expect(',');
  }
  return all;
};

const union = (reader: LineReader, depth: number): SyzArgument => {
  const { column } = reader;
  reader.expect('@');
  const option = reader.word('the name of an option');
  const value = reader.takes('=') ? parseArgument(reader, depth + 1) : undefined;
  return { kind: 'union', column, option, value };
};

const named = (reader: LineReader, depth: number): SyzArgument => {
  const { column } = reader;
  reader.expect('<');
  const name = reader.word('the name of a result');
  reader.expect('=');
  reader.expect('>');
  return { kind: 'named', column, name, value: parseArgument(reader, depth + 1) };
};

/** Throws SyzSyntaxError. */
export const parseArgument = (reader: LineReader, depth: number): SyzArgument => {
  const { column, next } = reader;
  if (depth > ARGUMENT_DEPTH_MAX) {
    throw new SyzSyntaxError(
      column,
      `arguments are more than ${ARGUMENT_DEPTH_MAX} within each other`,
    );
  }
  if (next >= '0' && next <= '9') return number(reader);
  if (next === 'r') return result(reader);
  if (next === '&') return pointer(reader, depth);
  if (next === '"' || next === "'") return parseData(reader);
  if (next === '@') return union(reader, depth);
  if (next === '<') return named(reader, depth);
  if (reader.takes('{')) return { kind: 'struct', column, fields: listed(reader, '}', depth) };
  if (reader.takes('[')) return { kind: 'array', column, elements: listed(reader, ']', depth) };
  if (reader.takes('nil')) return { kind: 'nil', column };
  if (reader.takes('AUTO')) return { kind: 'auto', column };
  throw reader.error('an argument is missing');
};
