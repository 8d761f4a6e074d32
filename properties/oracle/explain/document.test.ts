// SPDX-License-Identifier: MIT
// docs/explain.md shows commands with their present output.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const MAIN = resolve('dist', 'oracle', 'cli', 'main.js');

const printed = (command: string): string =>
  execFileSync(
    'sh',
    ['-c', command.replace('npx iommufd-spec', `"${process.execPath}" "${MAIN}"`)],
    {
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    },
  ).trimEnd();

const document = suite('docs/explain.md');

document('shows what its commands print', () => {
  const text = readFileSync('docs/explain.md', 'utf8');
  const blocks = [...text.matchAll(/^```\n\$ (.*)\n([^`]*(?:`[^`]+`[^`]*)*?)^```$/gm)];
  assert.is(blocks.length, 3);
  for (const [, command = '', output = ''] of blocks) {
    assert.is(output.trimEnd(), printed(command), `run the command again: ${command}`);
  }
});

document.run();
