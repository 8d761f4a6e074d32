// SPDX-License-Identifier: MIT
// Damaged saved explorations are refused as bad input with the file's name, and never resumed. So
// is a file with a right checksum and wrong contents.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BadSaved } from '../../../model/explorer/explore.ts';
import { ACTION_SETS } from '../../../oracle/explore/action-sets/all.ts';
import { COMPAT } from '../../../oracle/explore/action-sets/compat.ts';
import { mergedExploration } from '../../../oracle/explore/merge-explorations.ts';
import { runExplore } from '../../../oracle/explore/run-explore.ts';
import {
  explorationBytes,
  isExploration,
  openExploration,
} from '../../../oracle/explore/saved-file.ts';
import { BadInput } from '../../../oracle/trace/bad-input.ts';
import { settingOf } from '../../helpers/settings.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'properties-saved-'));
const PATH = join(FOLDER, 'saved.bin');

const test = suite('saved explorations');

test.after(() => rmSync(FOLDER, { recursive: true }));

const OPTIONS = {
  actionSet: COMPAT,
  setting: settingOf('mock'),
  depth: 3,
  states: 1000,
  time: Number.POSITIVE_INFINITY,
  signal: new AbortController().signal,
};

const WHOLE = Buffer.concat([...explorationBytes(COMPAT, await runExplore(OPTIONS))]);
const HEADER_END = WHOLE.indexOf('\n') + 1;
const CHECKSUM = 32;

/** The result of resuming from the file, and of merging it: 'fine', or why it is refused. */
const outcomes = async (bytes: Uint8Array): Promise<readonly string[]> => {
  writeFileSync(PATH, bytes);
  const uses = [
    async () => {
      const saved = openExploration(PATH, ACTION_SETS);
      try {
        await runExplore({ ...OPTIONS, ...saved, depth: saved.depth + 1 });
      } finally {
        saved.close();
      }
    },
    async () => {
      const saved = openExploration(PATH, ACTION_SETS);
      try {
        mergedExploration([{ name: PATH, saved }]);
      } finally {
        saved.close();
      }
    },
  ];
  const found: string[] = [];
  for (const use of uses) {
    try {
      await use();
      found.push('fine');
    } catch (error) {
      const isRefused = error instanceof BadInput || error instanceof BadSaved;
      if (!isRefused) throw error;
      if (error instanceof BadInput) assert.ok(error.message.startsWith(`${PATH}:`));
      found.push(error.message);
    }
  }
  return found;
};

test('a missing or unreadable file is not an exploration', () => {
  symlinkSync('round', join(FOLDER, 'round'));
  execFileSync('mkfifo', [join(FOLDER, 'pipe')]);
  const names = ['', 'none', 'round', 'pipe'].map((name) => join(FOLDER, name));
  for (const path of [...names, '/dev/null']) {
    assert.not(isExploration(path), path);
    assert.throws(
      () => openExploration(path, ACTION_SETS),
      (error: unknown) => error instanceof BadInput && error.message.startsWith(path),
    );
  }
});

test('what was saved is read', async () => {
  assert.equal(await outcomes(WHOLE), ['fine', 'fine']);
  assert.ok(isExploration(PATH));
});

const refuses = async (bytes: Uint8Array): Promise<void> => {
  for (const outcome of await outcomes(bytes)) assert.is.not(outcome, 'fine');
};

test('a byte that changed is found', async () => {
  const property = fc.asyncProperty(
    fc.nat({ max: WHOLE.length - 1 }),
    fc.integer({ min: 1, max: 255 }),
    (at, change) => {
      const bytes = Buffer.from(WHOLE);
      bytes[at] = (bytes[at] as number) ^ change;
      return refuses(bytes);
    },
  );
  await fc.assert(property, { seed: 4, numRuns: 100 });
});

test('cut files and inserted bytes are found', async () => {
  const property = fc.asyncProperty(
    fc.nat({ max: WHOLE.length - 1 }),
    fc.uint8Array({ maxLength: 40 }),
    async (at, more) => {
      await refuses(Buffer.concat([WHOLE.subarray(0, at), more]));
      if (more.length === 0) return;
      await refuses(Buffer.concat([WHOLE.subarray(0, at), more, WHOLE.subarray(at)]));
    },
  );
  await fc.assert(property, { seed: 5, numRuns: 100 });
});

const withRightChecksum = (bytes: Uint8Array): Uint8Array =>
  Buffer.concat([bytes, createHash('sha256').update(bytes).digest()]);

test('states that nobody saved are refused, or resumed from, but are no defect', async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: HEADER_END, max: WHOLE.length - CHECKSUM - 1 }),
    fc.integer({ min: 1, max: 255 }),
    async (at, change) => {
      const bytes = Buffer.from(WHOLE.subarray(0, -CHECKSUM));
      bytes[at] = (bytes[at] as number) ^ change;
      await outcomes(withRightChecksum(bytes));
    },
  );
  await fc.assert(property, { seed: 6, numRuns: 200 });
});

/** The file with another header, and a matching checksum. */
const withHeader = (change: (header: Record<string, unknown>) => void): Uint8Array => {
  const header = JSON.parse(WHOLE.toString('utf8', 0, HEADER_END));
  change(header);
  return withRightChecksum(
    Buffer.concat([
      Buffer.from(`${JSON.stringify(header)}\n`),
      WHOLE.subarray(HEADER_END, -CHECKSUM),
    ]),
  );
};

test('a header that contradicts the states, or itself, is refused', async () => {
  for (const [change, why] of [
    [{ version: 4 }, 'version 4 of explorations is not supported'],
    [{ at: { distinct: 2_000_000_000 } }, 'the file cannot have 2000000000 states'],
    [{ at: { distinct: -1 } }, 'the file cannot have -1 states'],
    [{ at: { position: 1e9 } }, 'after its end'],
    [{ at: { position: -1 } }, 'contradict each other'],
    [{ shard: { index: 5, of: 5 } }, 'there is no part 5 of 5'],
    [{ shard: { index: 0, of: 2_000_000_000 } }, 'there is no part 0 of 2000000000'],
    [{ depth: -1 }, '"depth" is -1'],
    [{ seconds: null }, '"seconds" is not a time'],
    [{ unspecified: -1 }, '"unspecified" is -1'],
    [{ ended: 'never' }, '"ended" is never'],
  ] as const) {
    const bytes = withHeader((header) => {
      const at = 'at' in change ? change.at : {};
      Object.assign(header, change, { at: { ...(header.at as object), ...at } });
    });
    const [outcome] = await outcomes(bytes);
    assert.match(outcome ?? '', why);
  }
});

test.run();
