// SPDX-License-Identifier: MIT
// The files and functions that docs/reading-guide.md follows a call through exist, and the call is as it says.

import { existsSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const GUIDE = readFileSync('docs/reading-guide.md', 'utf8');

/** A file with a name that it declares, in two cells of a table or in one sentence. */
const DECLARED = /`((?:spec|model|oracle)\/[\w/-]+\.ts)`(?:, | \| )`(\w+)`/g;

const FOLDER_ROW = /^\| `(spec\/\w+\/)` \| ([^|]*)/gm;

const declares = (file: string, name: string): boolean =>
  existsSync(file) &&
  new RegExp(`\\b(?:const|class|type|function\\*?) ${name}\\b`).test(readFileSync(file, 'utf8'));

const guide = suite('reading guide');

guide('each step names a file, and a function that it declares', () => {
  const steps = [...GUIDE.matchAll(DECLARED)];
  assert.ok(steps.length > 25, `${steps.length} steps`);
  const wrong = steps.filter(([, file = '', name = '']) => !declares(file, name));
  assert.equal(
    wrong.map(([text]) => text),
    [],
  );
});

guide('each folder has the files to read first', () => {
  const files = [...GUIDE.matchAll(FOLDER_ROW)].flatMap(([, folder = '', names = '']) =>
    [...names.matchAll(/`([\w.-]+)`/g)].map(([, name]) => folder + name),
  );
  assert.ok(files.length > 25, `${files.length} files`);
  assert.equal(
    files.filter((file) => !existsSync(file)),
    [],
  );
});

guide.run();
