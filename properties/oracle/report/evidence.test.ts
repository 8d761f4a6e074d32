// SPDX-License-Identifier: MIT
// The facts that explain a violation are read from the world independently. If a call conforms,
// they must agree with the rule of the reply: a rule that refused applies, and if the call
// succeeded no refusing rule applies.

import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { callContextOf } from '../../../oracle/decode/call-context.ts';
import { evidenceFor } from '../../../oracle/report/evidence/evidence.ts';
import { partsMetBy } from '../../../spec/parts-met.ts';
import { ALL_RULES, partIdOf, type RuleId } from '../../../spec/rules.ts';
import type { World } from '../../../spec/state/world.ts';
import type { IoctlCall } from '../../../spec/terms/call.ts';
import type { Rule } from '../../../spec/terms/rule.ts';
import { FIXTURES, judgeLines, readLines, recordingsIn } from '../../harness/recordings.ts';

/** A line of the recording decides these rules, not the world before it. */
const OF_THE_LINE = new Set<RuleId>(['pinning/not-mapped']);

/** Every fact that contradicts the rule of the reply. */
const contradictions = (world: World, call: IoctlCall, rule: Rule): readonly string[] => {
  const about = callContextOf(world, call);
  const own = evidenceFor(rule, world, call, about);
  if (rule.errno !== undefined) {
    return own?.holds === false ? [`${rule.id} refused, although ${own.fact}`] : [];
  }
  const met = partsMetBy(world, call);
  return ALL_RULES.flatMap(({ ...other }) => {
    if (!met.includes(partIdOf(other)) || other.errno === undefined || OF_THE_LINE.has(other.id))
      return [];
    const evidence = evidenceFor(other, world, call, about);
    return evidence?.holds === true ? [`${rule.id} granted, although ${evidence.fact}`] : [];
  });
};

const evidence = suite('evidence');

evidence('no fact contradicts the replies of a real kernel', async () => {
  const found: string[] = [];
  let looked = 0;
  for (const file of recordingsIn(FIXTURES)) {
    for (const judged of judgeLines(file, await readLines(join(FIXTURES, file)))) {
      const { verdict, before, recorded, line } = judged;
      if (verdict.kind !== 'conforms' || recorded.call.kind !== 'ioctl') continue;
      looked += 1;
      for (const text of contradictions(before, recorded.call, verdict.rule)) {
        found.push(`${file}:${line}: ${text}`);
      }
    }
  }
  assert.ok(looked > 1000);
  assert.equal(found, []);
});

evidence.run();
