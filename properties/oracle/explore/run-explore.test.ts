// SPDX-License-Identifier: MIT
// Explorations as a whole: a mistake in the specification is found with a shortest program, which
// is an ordinary one; a saved exploration continues as if it had not been stopped.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { judgeProgram } from '../../../oracle/check/judge-program.ts';
import { ACTION_SETS } from '../../../oracle/explore/action-sets/all.ts';
import { COMPAT } from '../../../oracle/explore/action-sets/compat.ts';
import { NATIVE } from '../../../oracle/explore/action-sets/native.ts';
import {
  type Explored,
  type ExploreOptions,
  runExplore,
  traceOfBroken,
} from '../../../oracle/explore/run-explore.ts';
import { explorationBytes, openExploration } from '../../../oracle/explore/saved-file.ts';
import { REFUSALS_CHANGE_NOTHING, type Step } from '../../../oracle/explore/world-model.ts';
import { saveFile } from '../../../oracle/files/save-file.ts';
import { programText } from '../../../oracle/report/program-text.ts';
import { readTrace } from '../../../oracle/trace/read-trace.ts';
import { programOf, traceLines } from '../../../oracle/trace/trace-file.ts';
import type { Reply } from '../../../spec/outcome/outcome.ts';
import { withAccount } from '../../../spec/state/memory.ts';
import { withMemory } from '../../../spec/state/world.ts';
import { step } from '../../../spec/step.ts';
import { settingOf } from '../../helpers/settings.ts';

const test = suite('explorations');

const FOLDER = mkdtempSync(join(tmpdir(), 'explore-'));

test.after(() => rmSync(FOLDER, { recursive: true }));

const plain = (options: Partial<ExploreOptions> = {}): ExploreOptions => ({
  actionSet: NATIVE,
  setting: settingOf('mock'),
  depth: 6,
  states: 1_000_000,
  time: Number.POSITIVE_INFINITY,
  signal: new AbortController().signal,
  ...options,
});

/** The specification with another world after that rule. */
const mistaken =
  (rule: string, world: (reply: Reply, before: Parameters<Step>[0]) => Reply['world']): Step =>
  (before, call) =>
    step(before, call).map((outcome) =>
      outcome.kind === 'reply' && outcome.rule.id === rule
        ? { ...outcome, world: world(outcome, before) }
        : outcome,
    );

/** Unmapped pages stay charged. */
const keepsCharge = mistaken('ioas-unmap/unmaps', ({ world }, before) =>
  withMemory(world, { ...world.memory, accounts: before.memory.accounts }),
);

test('a mistake is found with a shortest program', async () => {
  const { report } = await runExplore(plain({ step: keepsCharge }));
  assert.is(report.ended, 'broken');
  assert.is(report.broken?.law, 'accounts are the sums of what is pinned');
  assert.equal(programText(report.broken?.program ?? []), [
    '1  iommufd1 = open("/dev/iommu")',
    '2  ioas1 = IOMMU_IOAS_ALLOC(iommufd1)',
    '3  IOMMU_IOAS_MAP(iommufd1, flags=FIXED_IOVA | WRITEABLE | READABLE, ioas_id=ioas1, user_va=data, length=0x1000 (4 KiB), iova=0x1000000)',
    '4  stdev1, hwpt1, device1 = MOCK_DOMAIN(iommufd1, id=ioas1)',
    '5  IOMMU_IOAS_UNMAP(iommufd1, ioas_id=ioas1, iova=0x1000000, length=0x1000 (4 KiB))',
  ]);
});

test('the program is an ordinary trace, which runs on the emulator', async () => {
  const { report } = await runExplore(plain({ step: keepsCharge }));
  const trace = traceOfBroken(report);
  assert.ok(trace);
  const path = join(FOLDER, 'broken.jsonl');
  writeFileSync(path, `${[...traceLines(trace)].join('\n')}\n`);
  const program = programOf(await readTrace(path));
  assert.equal(program, report.broken?.program);
  const { steps, failure } = judgeProgram(settingOf('mock'), program);
  assert.is(failure, undefined);
  assert.ok(steps.every(({ step: { observation } }) => observation.errno === 0));
});

test('a refused call that changes something is found', async () => {
  const changes = mistaken('unmapping/zero-length', ({ world }) =>
    withMemory(world, withAccount(world.memory, 1, { locked: 0, pinned: 0 }, 1)),
  );
  const { report } = await runExplore(plain({ step: changes }));
  assert.is(report.broken?.program.length, 3);
  assert.ok(report.broken?.how.startsWith(REFUSALS_CHANGE_NOTHING), report.broken?.how);
});

test('a compatibility call that does not refine its native one is found', async () => {
  const loses = mistaken('compat-map-dma/maps', (_reply, before) => before);
  const { report } = await runExplore(plain({ actionSet: COMPAT, step: loses }));
  assert.ok(report.broken?.how.startsWith('MAP_DMA is IOAS_MAP at a fixed IOVA'));
});

/** For programs of at most five calls on 7.3.4: the number of states, and of steps to them. */
const COUNTS: Readonly<Record<string, readonly [distinct: number, generated: number]>> = {
  compat: [127, 1178],
  native: [634, 5445],
  access: [175, 1056],
  reserved: [677, 2825],
  type1: [56, 595],
  lifecycle: [174, 867],
  transfers: [43, 296],
  noiommu: [230, 1498],
  memory: [282, 1872],
};

test('no action set breaks a law, and every action is known to the specification', async () => {
  for (const actionSet of ACTION_SETS) {
    const setting = settingOf(actionSet.platform);
    const { report } = await runExplore(plain({ actionSet, setting, depth: 5 }));
    assert.is(report.broken, undefined, actionSet.name);
    assert.is(report.unspecified, 0, actionSet.name);
    assert.is(report.ended, 'depth', actionSet.name);
    const { distinct, generated } = report.counts;
    assert.equal([distinct, generated], COUNTS[actionSet.name], actionSet.name);
  }
});

test('a saved exploration continues as if it had not been stopped', async () => {
  const path = join(FOLDER, 'saved.bin');
  const whole = await runExplore(plain());
  const first = await runExplore(plain({ depth: 4 }));
  await saveFile(path, explorationBytes(NATIVE, first));
  const { actionSet, setting, earlier, close } = openExploration(path, ACTION_SETS);
  const second = await runExplore(plain({ actionSet, setting, earlier }));
  close();
  assert.equal(second.report.counts, whole.report.counts);
  assert.equal([...second.report.rules].sort(), [...whole.report.rules].sort());
  assert.ok(second.report.seconds > first.report.seconds);
});

test('saving meanwhile changes nothing, and each saved state leads to the same end', async () => {
  const path = join(FOLDER, 'early.bin');
  const options = plain({ depth: 7, states: 3000 });
  const whole = await runExplore(options);
  const early: Buffer[] = [];
  const saving = {
    every: 0,
    save: async (explored: Explored) => {
      early.push(Buffer.concat([...explorationBytes(NATIVE, explored)]));
    },
  };
  const saved = await runExplore({ ...options, saving });
  assert.equal(saved.report.counts, whole.report.counts);
  assert.equal([...saved.bytes()], [...whole.bytes()]);
  assert.ok(early.length > 0);
  writeFileSync(path, early[0] as Buffer);
  const { ended, earlier, close } = openExploration(path, ACTION_SETS);
  assert.is(ended, 'interrupted');
  const second = await runExplore({ ...options, earlier });
  close();
  assert.equal(second.report.counts, whole.report.counts);
  assert.equal([...second.report.rules].sort(), [...whole.report.rules].sort());
});

test('a file that is not a saved exploration is refused', async () => {
  const path = join(FOLDER, 'bad.bin');
  const open = () => openExploration(path, ACTION_SETS);
  writeFileSync(path, 'nothing of the kind\n');
  assert.throws(open, 'this is not a line of JSON');
  writeFileSync(path, '{"format":"iommufd-trace"}\n');
  assert.throws(open, 'not a saved exploration');
  await saveFile(path, explorationBytes(NATIVE, await runExplore(plain({ depth: 4 }))));
  const other = { ...NATIVE, actions: NATIVE.actions.slice(1) };
  assert.throws(() => openExploration(path, [other]), 'had other actions');
});

test('it stops on request, with its results so far', async () => {
  const controller = new AbortController();
  controller.abort();
  const { report } = await runExplore(plain({ signal: controller.signal, depth: 20 }));
  assert.is(report.ended, 'interrupted');
  assert.ok(report.counts.distinct > 0 && report.counts.frontier > 0);
  const { report: timed } = await runExplore(plain({ time: 1, depth: 20 }));
  assert.is(timed.ended, 'time');
});

test.run();
