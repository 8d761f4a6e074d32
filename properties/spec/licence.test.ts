// SPDX-License-Identifier: MIT
// Each source file says under which licence it is, as the kernel's files do.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const FIRST = /^(?:#!.*\n)?\/\/ SPDX-License-Identifier: MIT\n/;

const licence = suite('licence');

licence('every source file begins with its licence, and it is the one of package.json', () => {
  const files = execFileSync('git', ['ls-files', '-z', '*.ts'], { encoding: 'utf8' }).split('\0');
  const sources = files.filter((file) => file !== '');
  assert.ok(sources.length > 500);
  assert.equal(
    sources.filter((file) => !FIRST.test(readFileSync(file, 'utf8'))),
    [],
  );
  const { license } = JSON.parse(readFileSync('package.json', 'utf8')) as { license: string };
  assert.is(license, 'MIT');
  assert.match(readFileSync('LICENSE', 'utf8'), /^MIT License\n/);
});

licence.run();
