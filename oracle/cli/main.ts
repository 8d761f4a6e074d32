#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// The program: its command line, and how it ends.

import { runCommandLine } from './command-line.ts';
import { INTERRUPTED } from './exit-status.ts';
import { endWithoutReader } from './output.ts';

const WAIT_MILLISECONDS = 200;

endWithoutReader();
// An interrupted program ends even if it waits, as for an empty pipe.
if ((await runCommandLine(process.argv.slice(2))) === INTERRUPTED) {
  setTimeout(() => process.kill(process.pid, 'SIGINT'), WAIT_MILLISECONDS).unref();
}
