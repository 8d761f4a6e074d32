// SPDX-License-Identifier: MIT
// Strings of a syzkaller program: '...' is text with escapes, "..." hexadecimal digits, "$..." compressed data, and a
// length may follow.

import { bytesOfHex } from '../../spec/abi/bytes-text.ts';
import type { LineReader } from './line-reader.ts';
import type { SyzArgument } from './tree.ts';

const ESCAPES: Readonly<Record<string, number>> = {
  a: 0x07,
  b: 0x08,
  t: 0x09,
  n: 0x0a,
  v: 0x0b,
  f: 0x0c,
  r: 0x0d,
  '"': 0x22,
  "'": 0x27,
  '\\': 0x5c,
};

const UTF8 = new TextEncoder();

const escaped = (reader: LineReader): number => {
  const character = reader.character();
  const byte = ESCAPES[character];
  if (byte !== undefined) return byte;
  if (character !== 'x') throw reader.error(`"\\${character}" is no escape of a string`);
  const digits = reader.character() + reader.character();
  const [value] = bytesOfHex(digits) ?? [];
  if (value === undefined) throw reader.error(`"${digits}" is not two hexadecimal digits`);
  return value;
};

const text = (reader: LineReader): Uint8Array => {
  const bytes: number[] = [];
  for (let character = reader.character(); character !== "'"; character = reader.character()) {
    if (character === '\\') bytes.push(escaped(reader));
    else bytes.push(...UTF8.encode(character));
  }
  return Uint8Array.from(bytes);
};

const quoted = (reader: LineReader): string => {
  let digits = '';
  for (let character = reader.character(); character !== '"'; character = reader.character()) {
    digits += character;
  }
  return digits;
};

const lengthOf = (reader: LineReader): bigint | undefined =>
  reader.takes('/') ? reader.number('the length of a string') : undefined;

/** The reader is before the quote. Throws SyzSyntaxError. */
export const parseData = (reader: LineReader): SyzArgument => {
  const { column } = reader;
  if (reader.character() === "'") {
    const bytes = text(reader);
    reader.endString();
    return { kind: 'data', column, bytes, length: lengthOf(reader), isPacked: false };
  }
  const isPacked = reader.next === '$';
  const digits = quoted(reader);
  reader.endString();
  if (isPacked) {
    return { kind: 'data', column, bytes: new Uint8Array(), length: undefined, isPacked };
  }
  const bytes = bytesOfHex(digits);
  if (bytes === undefined)
    throw reader.error('a string in "..." has hexadecimal digits, two a byte');
  return { kind: 'data', column, bytes, length: lengthOf(reader), isPacked };
};
