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

/** Characters that a terminal acts on, or that are line ends in other languages, and that JSON does not escape. */
const ACTIVE = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu;

const unicodeEscapes = (text: string): string =>
  Array.from({ length: text.length }, (_, index) => text.charCodeAt(index))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');

/** Escapes control characters: a terminal does not act on the line. */
export const jsonLine = (value: unknown): string =>
  JSON.stringify(value, forJson).replace(ACTIVE, unicodeEscapes);
