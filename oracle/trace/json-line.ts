// SPDX-License-Identifier: MIT
// Data as one line of JSON: numbers of 64 bits as hexadecimal text, bytes as digits, maps as objects.

import { hexOf } from '../../spec/abi/bytes-text.ts';

export const hexText = (value: bigint): string =>
  value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;

const forJson = (_key: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return hexText(value);
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  if (value instanceof Uint8Array) return hexOf(value);
  return value;
};

/** What a terminal may act on, or a line end in other languages, and JSON leaves as it is. */
const ACTIVE = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu;

const unicodeEscapes = (text: string): string =>
  Array.from({ length: text.length }, (_, index) => text.charCodeAt(index))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');

/** ASCII where it matters: a terminal that is shown the line acts on nothing in it. */
export const jsonLine = (value: unknown): string =>
  JSON.stringify(value, forJson).replace(ACTIVE, unicodeEscapes);
