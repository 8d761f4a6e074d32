// SPDX-License-Identifier: MIT
// The files that are tracked, as git lists them; what there is in the folders where this is no work tree of git's.

import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const UNTRACKED = /(?:^|\/)(?:node_modules|dist|coverage|\.git)\/|^docs\/audit\/[^/]*\.html$/;

const listed = (): readonly string[] => {
  try {
    // Files that are not added yet are of the next commit.
    const all = execFileSync(
      'git',
      ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    return all.split('\0').filter((name) => name !== '');
  } catch {
    return readdirSync('.', { recursive: true, encoding: 'utf8' }).filter(
      (name) => !UNTRACKED.test(`${name}`),
    );
  }
};

/** Paths from the root of the project. */
export const TRACKED: readonly string[] = listed();
