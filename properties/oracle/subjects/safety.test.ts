// A trace from a stranger makes the kernel subject do nothing but what docs/safety.md says: hostile programs are run by
// it, in a process of their own and with every device file forbidden, and each call that it really makes is looked at.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HostileReport } from './hostile-run.ts';

const RUNNER = join(import.meta.dirname, 'hostile-run.js');
const RUNS = 1000;

const run = (seed: number): HostileReport => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [RUNNER, String(seed), String(RUNS)],
    { encoding: 'utf8' },
  );
  assert.is(status, 0, stderr);
  return JSON.parse(stdout) as HostileReport;
};

const safety = suite('safety');
const here = process.platform === 'linux' && process.arch === 'x64' ? safety : safety.skip;

here('hostile programs reach nothing that they must not', () => {
  const { forbidden, counts } = run(1);
  assert.equal(forbidden, []);
  // They tried: calls were made, and every kind of refusal was met.
  assert.ok((counts['ioctl made'] ?? 0) > 100, JSON.stringify(counts));
  const refusals = Object.keys(counts).filter((what) => what.startsWith('refused: '));
  for (const said of [
    /ioctls of type/,
    /may open/,
    /must be named/,
    /argument may be an address/,
    /pointer at byte N of the struct/,
    /Descriptor N is this process's own/,
    /change mappings within its arena/,
  ]) {
    assert.ok(
      refusals.some((refusal) => said.test(refusal)),
      `${said} in ${refusals.join('\n')}`,
    );
  }
});

safety.run();
