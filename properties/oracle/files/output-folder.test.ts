// SPDX-License-Identifier: MIT
// A folder of many files: files of earlier runs are replaced or removed, and other files never are.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeFolder } from '../../../oracle/files/make-folder.ts';
import { LIST, OutputFolder } from '../../../oracle/files/output-folder.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'properties-output-'));

const test = suite('folders of output');

test.after(() => rmSync(FOLDER, { recursive: true }));

const folder = (): string => mkdtempSync(join(FOLDER, 'case-'));

const NAMES = ['a.c', 'b.c', 'sub/a.c', 'sub/b.c', 'sub/c.c'];

/** Every file in the folder with its text, except for the list. */
const filesIn = (path: string): ReadonlyMap<string, string> =>
  new Map(
    NAMES.flatMap((name) => {
      const file = join(path, name);
      try {
        return [[name, readFileSync(file, 'utf8')] as const];
      } catch {
        return [];
      }
    }),
  );

const inSub = (name: string): boolean => name.startsWith('sub/');

test('after any runs the folder has the files of the last run, and those of others', async () => {
  const property = fc.asyncProperty(
    fc.subarray(NAMES),
    fc.array(fc.subarray(NAMES.filter(inSub)), { maxLength: 4 }),
    async (others, runs) => {
      const path = folder();
      makeFolder(join(path, 'sub'));
      for (const name of others) writeFileSync(join(path, name), 'of others');
      let last: readonly string[] = [];
      for (const [run, names] of runs.entries()) {
        const output = new OutputFolder(path);
        assert.equal(
          output.foreign(names),
          names.filter((name) => others.includes(name)),
        );
        last = names.filter((name) => !others.includes(name));
        await output.write(new Map(last.map((name) => [name, `run ${run}`])), inSub);
      }
      const expected = [
        ...others.map((name) => [name, 'of others'] as const),
        ...last.map((name) => [name, `run ${runs.length - 1}`] as const),
      ];
      assert.equal([...filesIn(path)].sort(), expected.sort());
    },
  );
  await fc.assert(property, { seed: 3, numRuns: 15 });
});

test('files of another kind stay in the list', async () => {
  const path = folder();
  await new OutputFolder(path).write(new Map([['a.c', 'first']]), (name) => name === 'a.c');
  await new OutputFolder(path).write(new Map([['sub/a.c', 'second']]), inSub);
  assert.equal(new OutputFolder(path).foreign(['a.c', 'sub/a.c']), []);
  assert.equal([...filesIn(path).keys()], ['a.c', 'sub/a.c']);
});

test('a list that leads out of the folder is refused', () => {
  for (const name of ['../a.c', '/a.c', 'sub/../../a.c', '..', 'sub/..', 'a/b/c', ' a.c']) {
    const path = folder();
    writeFileSync(join(path, LIST), `# for people\n${name}\n`);
    assert.throws(() => new OutputFolder(path), 'no name of a file in it', name);
  }
});

test('a run that fails leaves a list from which the next one continues', async () => {
  const path = folder();
  await new OutputFolder(path).write(new Map([['sub/a.c', 'first']]), inSub);
  const broken = new OutputFolder(path).write(
    new Map([
      ['sub/b.c', 'second'],
      ['sub/c.c', 'second'],
    ]),
    inSub,
    async (file, text) => {
      if (file.endsWith('c.c')) throw new Error('full');
      writeFileSync(file, text);
    },
  );
  assert.is(
    await broken.then(
      () => 'written',
      (error: Error) => error.message,
    ),
    'full',
  );
  assert.equal([...filesIn(path).keys()], ['sub/a.c', 'sub/b.c']);
  const again = new OutputFolder(path);
  assert.equal(again.foreign(NAMES), []);
  await again.write(new Map([['sub/c.c', 'third']]), inSub);
  assert.equal([...filesIn(path).keys()], ['sub/c.c']);
});

test('a folder is made with its parents, or the reason is reported', () => {
  const path = folder();
  makeFolder(join(path, 'a', 'b', 'c'));
  makeFolder(join(path, 'a', 'b', 'c'));
  assert.equal(readdirSync(join(path, 'a', 'b')), ['c']);
  writeFileSync(join(path, 'file'), '');
  assert.throws(() => makeFolder(join(path, 'file')), 'it is a file');
  assert.throws(() => makeFolder(join(path, 'file', 'a')), 'it is a file');
  assert.throws(() => makeFolder('/proc/x/y'), 'ENOENT');
});

test.run();
