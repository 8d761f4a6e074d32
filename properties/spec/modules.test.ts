// SPDX-License-Identifier: MIT
// The specification depends on nothing else: its modules import nothing but each other and ts-pattern, name no global of Node.js,
// and load one by one.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const SOURCES: readonly string[] = readdirSync('spec', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .sort();

const IMPORT = /\bfrom '([^']+)'/g;

const importsOf = (text: string): readonly string[] =>
  [...text.matchAll(IMPORT)].map(([, name]) => name as string);

const isOwn = (file: string, name: string): boolean =>
  name === 'ts-pattern' ||
  (name.startsWith('.') &&
    !join('spec', file, '..', name).startsWith('..') &&
    join('spec', file, '..', name).startsWith('spec'));

const modules = suite('modules of the specification');

modules('import nothing from outside but ts-pattern', () => {
  const wrong = SOURCES.flatMap((file) =>
    importsOf(readFileSync(join('spec', file), 'utf8'))
      .filter((name) => !isOwn(file, name))
      .map((name) => `${file}: ${name}`),
  );
  assert.equal(wrong, []);
});

const HOST_ONLY =
  /\b(?:Buffer\.|console\.|require\(|setTimeout|setInterval|new Date|Date\.now|Math\.random|performance\.|globalThis|process\.(?:env|argv|cwd|std|exit|nextTick|hrtime))/;

modules('use no input or output, no clock and no randomness', () => {
  const wrong = SOURCES.filter((file) => HOST_ONLY.test(readFileSync(join('spec', file), 'utf8')));
  assert.equal(wrong, []);
});

modules('load one by one', async () => {
  for (const file of SOURCES) {
    await import(`../../spec/${file.replace(/\.ts$/, '.js')}`);
  }
});

modules('a file has at most 400 lines', () => {
  const long = SOURCES.filter(
    (file) => readFileSync(join('spec', file), 'utf8').split('\n').length > 401,
  );
  assert.equal(long, []);
});

modules.run();
