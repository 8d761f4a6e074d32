// SPDX-License-Identifier: MIT
// Judges one file in this process and prints the most memory that the process had, in bytes.

import { judgeFile } from '../../oracle/cli/judge-file.ts';

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('The path of a recording is missing.');
await judgeFile(path, {
  verbosity: 'brief',
  signal: new AbortController().signal,
  onProgress: () => {},
});
process.stdout.write(`${process.resourceUsage().maxRSS * 1024}\n`);
