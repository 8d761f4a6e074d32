// SPDX-License-Identifier: MIT
// Recordings have two readers, a quick one and one that takes any JSON. Both give the same call,
// and the quick one never accepts a line that the other rejects.

import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BadInput } from '../../../oracle/trace/bad-input.ts';
import { RecordedLineReader } from '../../../oracle/trace/recorded-line.ts';
import { parseCall, type RecordedCall } from '../../../oracle/trace/recording.ts';
import { FIXTURES, readLines, recordingsIn } from '../../harness/recordings.ts';

const FILE = 'example.jsonl';

const quickly = (reader: RecordedLineReader, text: string): RecordedCall | undefined => {
  const bytes = Buffer.from(text);
  return reader.read(bytes, 0, bytes.length, 2);
};

const thoroughly = (text: string): RecordedCall | undefined => {
  try {
    return parseCall(FILE, 2, text);
  } catch (error) {
    if (error instanceof BadInput) return undefined;
    throw error;
  }
};

/** Bytes in one form: a Buffer and a plain array of bytes are the same here. */
const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
};

const allLines = async (): Promise<readonly string[]> => {
  const lines: string[] = [];
  for (const file of recordingsIn(FIXTURES)) {
    lines.push(...(await readLines(join(FIXTURES, file))).slice(1));
  }
  return lines;
};

const readers = suite('reading recordings');

readers('both readers give the same calls', async () => {
  const reader = new RecordedLineReader();
  let quick = 0;
  const lines = await allLines();
  for (const text of lines) {
    const call = quickly(reader, text);
    if (call === undefined) continue;
    quick += 1;
    assert.ok(isDeepStrictEqual(plain(call), plain(thoroughly(text))), text);
  }
  assert.ok(quick > lines.length * 0.99, `${quick} of ${lines.length} lines are read quickly`);
});

/** A line with a change that may break it. */
const disturbed = (lines: readonly string[]): fc.Arbitrary<string> =>
  fc
    .record({
      line: fc.constantFrom(...lines),
      at: fc.nat(10_000),
      how: fc.constantFrom('put', 'cut', 'leave out', 'double', 'spaces'),
      what: fc.constantFrom('g', '"', '\\', '0', '-', ',', '}', '{', ' ', 'é', '\u0000', 'x', '9'),
    })
    .map(({ line, at, how, what }) => {
      const place = at % line.length;
      const before = line.slice(0, place);
      switch (how) {
        case 'put':
          return before + what + line.slice(place + 1);
        case 'cut':
          return before;
        case 'leave out':
          return before + line.slice(place + 1);
        case 'double':
          return line + line;
        default:
          return JSON.stringify(JSON.parse(line), null, 1).replaceAll('\n', ' ');
      }
    });

readers('the quick reader gives no call that the other would not give', async () => {
  const reader = new RecordedLineReader();
  const lines = (await allLines()).filter((_, index) => index % 7 === 0);
  fc.assert(
    fc.property(disturbed(lines), (text) => {
      const call = quickly(reader, text);
      if (call === undefined) return;
      assert.ok(isDeepStrictEqual(plain(call), plain(thoroughly(text))), text);
    }),
    { seed: 29, numRuns: 6000 },
  );
});

readers.run();
