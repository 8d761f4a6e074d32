// SPDX-License-Identifier: MIT
// How files are damaged: by bytes, by lines, and by the fields of a line, with values that readers often mishandle.

import fc from 'fast-check';
import type { SeedFile } from './seed-files.ts';

export type Damaged = { readonly file: SeedFile; readonly bytes: Uint8Array };

/** Values of other types and ranges than any field has, and text that must reach no output as it is. */
const VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  -1e300,
  1e308,
  0.5,
  2 ** 53,
  '',
  '-1',
  '0x',
  '0xffffffffffffffffff',
  '-0x1',
  'toString',
  '__proto__',
  'constructor',
  '\u001b[31mred\u001b]0;title\u0007',
  '*/ int main; /* \\\n ??/',
  '</script><script>alert(1)</script>',
  '| a | b |\n`c`',
  '\u202e\u2028\u0085\u009b',
  '../../etc/passwd',
  'x'.repeat(5000),
  [],
  [[]],
  {},
  { toString: 1 },
];

const hostile = fc.oneof(fc.constantFrom(...VALUES), fc.integer(), fc.string({ maxLength: 8 }));

type Step =
  | { readonly how: 'byte'; readonly at: number; readonly value: number }
  | { readonly how: 'cut'; readonly at: number }
  | { readonly how: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly how: 'drop-line' | 'double-line' | 'swap-line'; readonly at: number }
  | {
      readonly how: 'field';
      readonly line: number;
      readonly field: number;
      readonly value: unknown;
    }
  | { readonly how: 'borrow'; readonly line: number; readonly from: number; readonly field: number }
  | { readonly how: 'drop-field'; readonly line: number; readonly field: number }
  | { readonly how: 'alter'; readonly line: number; readonly field: number; readonly by: number }
  | {
      readonly how: 'add-field';
      readonly line: number;
      readonly name: string;
      readonly value: unknown;
    };

/** Evenly spread from 0 to below 1: fc.double() has as many values below 1e-100 as above it. */
const SHARES = 2 ** 30;
const share = fc.nat(SHARES - 1).map((number) => number / SHARES);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ how: fc.constant('byte' as const), at: share, value: fc.nat(255) }),
  },
  { weight: 1, arbitrary: fc.record({ how: fc.constant('cut' as const), at: share }) },
  {
    weight: 1,
    arbitrary: fc.record({
      how: fc.constant('insert' as const),
      at: share,
      bytes: fc.uint8Array({ maxLength: 12 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      how: fc.constantFrom('drop-line' as const, 'double-line' as const, 'swap-line' as const),
      at: share,
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      how: fc.constant('field' as const),
      line: share,
      field: share,
      value: hostile,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ how: fc.constant('drop-field' as const), line: share, field: share }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      how: fc.constant('borrow' as const),
      line: share,
      from: share,
      field: share,
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      how: fc.constant('alter' as const),
      line: share,
      field: share,
      by: fc.nat(63),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      how: fc.constant('add-field' as const),
      line: share,
      name: fc.constantFrom('__proto__', 'constructor', 'extra', 'ret', 'mem'),
      value: hostile,
    }),
  },
);

/** The position of a share in something that long. */
const position = (at: number, length: number): number => Math.min(length, Math.floor(at * length));

type Holder = { [name: string]: unknown } | unknown[];

const isHolder = (value: unknown): value is Holder => typeof value === 'object' && value !== null;

/** Every object and array in the value with each name in it, the outermost first. */
const placesIn = (value: unknown): readonly (readonly [Holder, string])[] => {
  const places: [Holder, string][] = [];
  const open: unknown[] = [value];
  for (let at = open.shift(); at !== undefined; at = open.shift()) {
    if (!isHolder(at)) continue;
    for (const [name, inner] of Object.entries(at)) {
      places.push([at, name]);
      if (isHolder(inner)) open.push(inner);
    }
  }
  return places;
};

const put = (holder: Holder, name: string, value: unknown): void => {
  Object.defineProperty(holder, name, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
};

/** The line with one field as another line has it: what still fits the format and says something else. */
const withBorrowed = (line: string, other: string, field: number): string => {
  try {
    const value: unknown = JSON.parse(line);
    const places = placesIn(value);
    const [holder, name] = places[position(field, places.length)] ?? [];
    const found = placesIn(JSON.parse(other)).find(([, candidate]) => candidate === name);
    if (holder === undefined || name === undefined || found === undefined) return line;
    const [from] = found;
    put(holder, name, Reflect.get(from, name));
    return JSON.stringify(value);
  } catch {
    return line;
  }
};

/** A value of the same form that says something else: another number, other bytes, the other truth. */
const altered = (value: unknown, by: number): unknown => {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return by % 2 === 0 ? value + 1 : value - 1;
  if (typeof value !== 'string') return value;
  if (/^0x[0-9a-f]+$/.test(value)) return `0x${(BigInt(value) ^ (1n << BigInt(by))).toString(16)}`;
  if (!/^(?:[0-9a-f]{2})+$/.test(value)) return value;
  const bytes = Buffer.from(value, 'hex');
  const at = by % bytes.length;
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (by % 8));
  return bytes.toString('hex');
};

type FieldStep = Extract<Step, { how: 'field' | 'drop-field' | 'add-field' | 'alter' }>;

const changedLine = (line: string, change: FieldStep): string => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return `${line}{`;
  }
  if (change.how === 'add-field') {
    if (isHolder(value)) put(value, change.name, change.value);
    return JSON.stringify(value);
  }
  const places = placesIn(value);
  const leaves = places.filter(([holder, name]) => !isHolder(Reflect.get(holder, name)));
  const among = change.how === 'alter' ? leaves : places;
  const found = among[position(change.field, among.length)];
  if (found === undefined) return JSON.stringify('value' in change ? change.value : null);
  const [holder, name] = found;
  if (change.how === 'field') put(holder, name, change.value);
  else if (change.how === 'alter') put(holder, name, altered(Reflect.get(holder, name), change.by));
  else if (Array.isArray(holder)) holder.splice(Number(name), 1);
  else Reflect.deleteProperty(holder, name);
  return JSON.stringify(value);
};

const changedLines = (bytes: Uint8Array, change: (lines: string[]) => void): Uint8Array => {
  const lines = new TextDecoder().decode(bytes).split('\n');
  change(lines);
  return new TextEncoder().encode(lines.join('\n'));
};

const damagedBy = (bytes: Uint8Array, change: Step): Uint8Array => {
  switch (change.how) {
    case 'byte': {
      const copy = Uint8Array.from(bytes);
      if (copy.length > 0) copy[position(change.at, copy.length)] = change.value;
      return copy;
    }
    case 'cut':
      return bytes.slice(0, position(change.at, bytes.length));
    case 'insert': {
      const at = position(change.at, bytes.length);
      return Uint8Array.from([...bytes.slice(0, at), ...change.bytes, ...bytes.slice(at)]);
    }
    case 'drop-line':
      return changedLines(bytes, (lines) => lines.splice(position(change.at, lines.length), 1));
    case 'double-line':
      return changedLines(bytes, (lines) => {
        const at = position(change.at, lines.length);
        lines.splice(at, 0, lines[at] ?? '');
      });
    case 'swap-line':
      return changedLines(bytes, (lines) => {
        const at = position(change.at, lines.length - 1);
        const [one, other] = [lines[at] ?? '', lines[at + 1] ?? ''];
        lines.splice(at, 2, other, one);
      });
    case 'borrow':
      return changedLines(bytes, (lines) => {
        const at = position(change.line, lines.length);
        const other = lines[position(change.from, lines.length)] ?? '';
        lines[at] = withBorrowed(lines[at] ?? '', other, change.field);
      });
    default:
      return changedLines(bytes, (lines) => {
        const at = position(change.line, lines.length);
        lines[at] = changedLine(lines[at] ?? '', change);
      });
  }
};

/** Mostly once: what is damaged often is refused early. */
const steps = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(step) },
  { weight: 1, arbitrary: fc.array(step, { minLength: 2, maxLength: 3 }) },
);

/** One of the files, damaged once to three times. */
export const damaged = (files: readonly SeedFile[]): fc.Arbitrary<Damaged> =>
  fc.tuple(fc.constantFrom(...files), steps).map(([file, changes]) => ({
    file,
    bytes: changes.reduce<Uint8Array>(damagedBy, file.bytes),
  }));
