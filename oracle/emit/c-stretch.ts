// Bytes that stand in memory while a call is made: how a C file puts them there, and how it looks at them afterwards.

import type { ArenaPages } from './arena-use.ts';

const PAGE = 4096n;

export const pointer = (place: string): string => `(void *)(${place})`;

const plus = (place: string, bytes: number): string =>
  bytes === 0 ? place : `${place} + ${bytes}`;

/** Copies `length` bytes from a C object to an address of the arena, page by page where some may only be read. */
export const putLines = (
  pages: ArenaPages,
  address: bigint,
  place: string,
  source: string,
  length: number,
): readonly string[] => {
  if (length === 0) return [];
  if (pages.writable(address, length) === length) {
    return [`memcpy(${pointer(place)}, ${source}, ${length});`];
  }
  const lines: string[] = [];
  for (let done = 0; done < length; ) {
    const at = address + BigInt(done);
    const part = Math.min(length - done, Number((at / PAGE + 1n) * PAGE - at));
    const from = done === 0 ? source : `(const char *)${source} + ${done}`;
    const isWritable = pages.writable(at, part) === part;
    lines.push(
      isWritable
        ? `memcpy(${pointer(plus(place, done))}, ${from}, ${part});`
        : `put_read_only(${plus(place, done)}, ${from}, ${part});`,
    );
    done += part;
  }
  return lines;
};

const byteText = (byte: number): string => `0x${byte.toString(16).padStart(2, '0')}`;

/** "{ 0x01, 0x02 }", broken into lines where there are many. */
export const bytesLiteral = (bytes: Uint8Array): string => {
  const texts = [...bytes].map(byteText);
  if (texts.length <= 12) return `{ ${texts.join(', ')} }`;
  const lines: string[] = [];
  for (let at = 0; at < texts.length; at += 12) {
    lines.push(`\t\t${texts.slice(at, at + 12).join(', ')},`);
  }
  return `{\n${lines.join('\n')}\n\t}`;
};

/** Hexadecimal digits as a C string literal where they are a text that ends in a zero byte. */
export const textOf = (bytes: Uint8Array): string | undefined => {
  const text = Buffer.from(bytes.subarray(0, -1)).toString('latin1');
  return bytes.at(-1) === 0 && /^[0-9A-Za-z:.=_ -]*$/.test(text) ? `"${text}"` : undefined;
};
