// SPDX-License-Identifier: MIT
// A file system of a few KiB for one script, in a mount namespace of its own: it leaves nothing.

import { spawnSync } from 'node:child_process';

const MOUNT =
  'mount -t tmpfs -o size="$1"k none "$2" && cd "$2" && echo mounted && script=$3 && shift 3 && eval "$script"';

/** Runs the shell script inside it, with its arguments, and returns what it prints; undefined where nothing may be mounted. */
export const withSmallDisk = (
  folder: string,
  kibibytes: number,
  script: string,
  words: readonly string[],
): string | undefined => {
  const all = ['-c', MOUNT, 'sh', `${kibibytes}`, folder, script, ...words];
  for (const rights of [['-m'], ['-rm']]) {
    const { stdout, stderr } = spawnSync('unshare', [...rights, 'sh', ...all], {
      encoding: 'utf8',
    });
    if (stdout?.startsWith('mounted\n') !== true) continue;
    if (stderr !== '') process.stderr.write(stderr);
    return stdout.slice('mounted\n'.length);
  }
  process.stdout.write('not tested: no file system can be mounted\n');
  return undefined;
};
