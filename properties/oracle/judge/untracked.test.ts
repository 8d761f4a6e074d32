// SPDX-License-Identifier: MIT
// Objects of an untracked iommufd are unknown to another iommufd, too.

import { resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { judgeProgram } from '../../../oracle/check/judge-program.ts';
import { readTrace } from '../../../oracle/trace/read-trace.ts';
import { programOf } from '../../../oracle/trace/trace-file.ts';

const TRACE = resolve(
  'properties',
  'fixtures',
  'unknown',
  'an-access-of-an-untracked-iommufd.jsonl',
);

const untracked = suite('what is untracked');

untracked('an access that an untracked iommufd made, asked for through another', async () => {
  const trace = await readTrace(TRACE);
  const { steps, failure } = judgeProgram(trace.header.setting, programOf(trace), new Set());
  assert.is(failure, undefined);
  assert.equal(
    steps.slice(-2).map(({ verdict }) => verdict.kind),
    ['unknown', 'unknown'],
  );
});

untracked.run();
