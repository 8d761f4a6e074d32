// The C files of the audit's rows: they make the row's calls, tell what each side must answer, and compile.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Differences } from '../../../oracle/audit/differences.ts';
import { boundsOf, startOn } from '../../../oracle/audit/located.ts';
import { GROUNDS } from '../../../oracle/audit/platforms.ts';
import { canCompile } from '../../../oracle/audit/reproduce.ts';
import { reproducerOf } from '../../../oracle/audit/reproducer.ts';
import { requestsOn } from '../../../oracle/audit/requests/all.ts';
import type { Row } from '../../../oracle/audit/row.ts';
import { rowsOf } from '../../../oracle/audit/rows.ts';
import { search } from '../../../oracle/audit/search.ts';
import { movesOn } from '../../../oracle/audit/structure.ts';

const run = promisify(execFile);

/** Few enough for a test; a device is open in some of them. */
const MOVES = 4;

const rowsFound = async (): Promise<readonly Row[]> => {
  const rows: Row[] = [];
  for (const ground of GROUNDS.filter(({ first }) => first.length > 0)) {
    const differences: Differences = new Map();
    const bounds = { ...boundsOf(ground), moves: Math.min(ground.moves, MOVES) };
    const start = startOn('7.3.4', ground);
    const requests = requestsOn(ground);
    await search(start, movesOn(ground), requests, bounds, differences, async () => true);
    rows.push(...rowsOf([...differences.values()].map((one) => ({ ...one, ground }))));
  }
  return rows;
};

const FILES = (await rowsFound()).map((row) => ({ row, text: reproducerOf('7.3.4', row).text }));

const test = suite('audit reproducers');

test('each call is told with what both sides must give, and they differ in something', () => {
  assert.ok(FILES.length > 60, `${FILES.length} files`);
  for (const { row, text } of FILES) {
    const told = [...text.matchAll(/^\t\{ "(?:[^"\\]|\\.)*", [01], ([^,]+), ([^ ]+) \},$/gm)];
    const { id } = row.description;
    assert.ok(told.length >= row.seen[0].program.length, `${id}: ${told.length} calls`);
    assert.ok(
      told.some(([, type1, iommufd]) => type1 !== iommufd),
      `${id}: both sides give the same`,
    );
    assert.is(text.match(/\b(?:did|opened|look)\(/g)?.length ?? 0, told.length + usesIn(text), id);
  }
});

/** Where the functions that take down a value are made, or use each other. */
const usesIn = (text: string): number =>
  [
    /^static long did\(/m,
    /^static void look\(/m,
    /^static long opened\(/m,
    /= did\(open\(path/,
  ].filter((place) => place.test(text)).length;

const compiles = (await canCompile())
  ? test
  : (name: string, body: () => Promise<void>): void => {
      process.stdout.write('  (skipped: there is no cc here)\n');
      test.skip(name, body);
    };

compiles('each file compiles without a warning', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'reproducers-'));
  try {
    for (const [index, { row, text }] of FILES.entries()) {
      const file = join(folder, `${index}.c`);
      writeFileSync(file, text);
      await run('cc', ['-Wall', '-Werror', '-fsyntax-only', file]).catch((error: Error) => {
        throw new Error(`${row.description.id}: ${error.message}`);
      });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
