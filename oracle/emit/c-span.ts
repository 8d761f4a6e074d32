// SPDX-License-Identifier: MIT
// Bytes that are in memory while a call is made: how a C file puts them there, and how it checks them afterwards.

import type { ArenaPages } from './arena-use.ts';
import { type CText, c, cHex, cJoin, cString } from './c-text.ts';

const PAGE = 4096n;

export const pointer = (place: CText): CText => c`(void *)(${place})`;

const plus = (place: CText, bytes: number): CText => (bytes === 0 ? place : c`${place} + ${bytes}`);

/** Copies `length` bytes from a C object to an address of the arena, page by page where some may only be read. */
export const putLines = (
  pages: ArenaPages,
  address: bigint,
  place: CText,
  source: CText,
  length: number,
): readonly CText[] => {
  if (length === 0) return [];
  if (pages.writable(address, length) === length) {
    return [c`memcpy(${pointer(place)}, ${source}, ${length});`];
  }
  const lines: CText[] = [];
  for (let done = 0; done < length; ) {
    const at = address + BigInt(done);
    const part = Math.min(length - done, Number((at / PAGE + 1n) * PAGE - at));
    const from = done === 0 ? source : c`(const char *)${source} + ${done}`;
    const isWritable = pages.writable(at, part) === part;
    lines.push(
      isWritable
        ? c`memcpy(${pointer(plus(place, done))}, ${from}, ${part});`
        : c`put_read_only(${plus(place, done)}, ${from}, ${part});`,
    );
    done += part;
  }
  return lines;
};

/** "{ 0x01, 0x02 }", broken into lines where there are many. */
export const bytesLiteral = (bytes: Uint8Array): CText => {
  const texts = [...bytes].map((byte) => cHex(byte, 2));
  if (texts.length <= 12) return c`{ ${cJoin(texts, c`, `)} }`;
  const lines: CText[] = [];
  for (let at = 0; at < texts.length; at += 12) {
    lines.push(c`\t\t${cJoin(texts.slice(at, at + 12), c`, `)},`);
  }
  return c`{\n${cJoin(lines, c`\n`)}\n\t}`;
};

/** Hexadecimal digits as a C string literal where they are a text that ends in a zero byte. */
export const textOf = (bytes: Uint8Array): CText | undefined => {
  const text = Buffer.from(bytes.subarray(0, -1)).toString('latin1');
  return bytes.at(-1) === 0 && /^[0-9A-Za-z:.=_ -]*$/.test(text) ? cString(text) : undefined;
};
