// SPDX-License-Identifier: MIT
// Numbers as people read them: addresses in hexadecimal, lengths with their size, counts with their noun.

import { hexOf } from '../../spec/abi/bytes-text.ts';
import { U64_MAX } from '../../spec/abi/units.ts';

export const hex = (value: bigint | number): string =>
  value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;

const UNITS: readonly (readonly [bigint, string])[] = [
  [1n << 60n, 'EiB'],
  [1n << 50n, 'PiB'],
  [1n << 40n, 'TiB'],
  [1n << 30n, 'GiB'],
  [1n << 20n, 'MiB'],
  [1n << 10n, 'KiB'],
];

/** "12 KiB", exactly; bytes where no unit divides it. */
export const size = (bytes: bigint): string => {
  if (bytes === 1n) return '1 byte';
  for (const [unit, name] of UNITS) {
    if (bytes >= unit && bytes % (unit / 8n) === 0n) {
      return `${Number((bytes * 1000n) / unit) / 1000} ${name}`;
    }
  }
  return `${grouped(bytes)} bytes`;
};

/** A length in bytes in hexadecimal, with its size. */
export const length = (bytes: bigint): string => {
  if (bytes === 0n) return '0';
  if (bytes === U64_MAX) return `${hex(bytes)} (the greatest u64)`;
  return bytes < 10n ? `${bytes}` : `${hex(bytes)} (${size(bytes)})`;
};

/** From the first to the last byte, both inclusive. */
export const range = (start: bigint, last: bigint): string => `[${hex(start)}, ${hex(last)}]`;

/** The last of `length` bytes from `start`, at most U64_MAX; `start` if the length is 0. */
export const lastOf = (start: bigint, length: bigint): bigint => {
  const last = length === 0n ? start : start + length - 1n;
  return last > U64_MAX ? U64_MAX : last;
};

export const grouped = (value: number | bigint): string =>
  value.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ',');

const plural = (noun: string): string =>
  /(?:s|x|ch)$/.test(noun)
    ? `${noun}es`
    : noun.endsWith('y')
      ? `${noun.slice(0, -1)}ies`
      : `${noun}s`;

/** "1 call", "2 calls". */
export const count = (value: number | bigint, noun: string): string =>
  `${grouped(value)} ${value === 1 || value === 1n ? noun : plural(noun)}`;

export const listed = (words: readonly string[], conjunction = 'and'): string =>
  words.length < 2
    ? words.join('')
    : `${words.slice(0, -1).join(', ')} ${conjunction} ${words.at(-1)}`;

/** Ascending whole numbers, with neighbours as a range: "1", "3 to 999,999". */
export const ranges = (numbers: readonly number[]): readonly string[] => {
  const texts: string[] = [];
  for (let at = 0; at < numbers.length; ) {
    const first = numbers[at] as number;
    let next = at + 1;
    while (numbers[next] === first + next - at) next += 1;
    const last = numbers[next - 1] as number;
    texts.push(first === last ? grouped(first) : `${grouped(first)} to ${grouped(last)}`);
    at = next;
  }
  return texts;
};

/** Bytes as hexadecimal digits in groups of four bytes, cut after `shown` bytes. */
export const bytesText = (bytes: Uint8Array, shown: number): string => {
  const digits = hexOf(bytes.subarray(0, shown));
  const groups = digits.match(/.{1,8}/g) ?? [];
  const rest = bytes.length > shown ? ` ... and ${count(bytes.length - shown, 'byte')} more` : '';
  return `${groups.join(' ')}${rest}`;
};
