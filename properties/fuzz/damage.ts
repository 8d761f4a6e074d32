// SPDX-License-Identifier: MIT
// How files are damaged: by bytes, by lines, and by the fields of a line, with the values that readers trip over.

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
  | {
      readonly how: 'add-field';
      readonly line: number;
      readonly name: string;
      readonly value: unknown;
    };

const share = fc.double({ min: 0, max: 0.999999, noNaN: true });

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

type FieldStep = Extract<Step, { how: 'field' | 'drop-field' | 'add-field' }>;

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
  const found = places[position(change.field, places.length)];
  if (found === undefined) return JSON.stringify('value' in change ? change.value : null);
  const [holder, name] = found;
  if (change.how === 'field') put(holder, name, change.value);
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
      const copy = bytes.slice();
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

/** One of the files, damaged once to three times. */
export const damaged = (files: readonly SeedFile[]): fc.Arbitrary<Damaged> =>
  fc
    .tuple(fc.constantFrom(...files), fc.array(step, { minLength: 1, maxLength: 3 }))
    .map(([file, steps]) => ({ file, bytes: steps.reduce(damagedBy, file.bytes) }));
