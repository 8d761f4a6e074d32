// SPDX-License-Identifier: MIT
// Facts that an input does not state: whatever they are, a right kernel never gets a violation, the
// true value is never excluded, and a wrong reply that no value explains is a violation.

import { resolve } from 'node:path';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { programs } from '../../../model/arbitrary.ts';
import { EmulatedMachine } from '../../../model/emulator/machine.ts';
import { startOfProgram } from '../../../model/programs/builder.ts';
import type { Program } from '../../../model/programs/program.ts';
import { runProgram } from '../../../model/programs/run.ts';
import { judgeFile } from '../../../oracle/cli/judge-file.ts';
import { settingStating } from '../../../oracle/judge/facts.ts';
import { judge } from '../../../oracle/judge/judge.ts';
import { judgeUnstated } from '../../../oracle/judge/unstated.ts';
import type { Verdict } from '../../../oracle/judge/verdict.ts';
import type { StatedFacts } from '../../../oracle/trace/recording.ts';
import type { World } from '../../../spec/state/world.ts';
import type { Call, Observation } from '../../../spec/terms/call.ts';
import type { Setting } from '../../../spec/terms/platform.ts';
import { SHOWN_DEFECTS } from '../../defects/shown-defects.ts';
import { FIXTURES } from '../../harness/recordings.ts';
import { PRIVILEGED, settingOf } from '../../helpers/settings.ts';

type Step = { readonly call: Call; readonly observation: Observation };

const stepsOn = (setting: Setting, program: Program): readonly Step[] =>
  runProgram(program, new EmulatedMachine(setting)).map(({ call, observation }) => ({
    call,
    observation,
  }));

/** The verdict on each step up to the first violation, and the last world. */
const judged = (
  setting: Setting,
  stated: StatedFacts,
  steps: readonly Step[],
): { readonly verdicts: readonly Verdict[]; readonly world: World } => {
  let world = startOfProgram(settingStating(setting, stated));
  const verdicts: Verdict[] = [];
  for (const { call, observation } of steps) {
    const verdict = judgeUnstated(world, call, observation, (assumed) =>
      judge(assumed, call, observation),
    );
    verdicts.push(verdict);
    if (verdict.kind === 'violation') break;
    world = verdict.world;
  }
  return { verdicts, world };
};

const violationIn = (verdicts: readonly Verdict[]): string | undefined => {
  const last = verdicts.at(-1);
  if (last?.kind !== 'violation') return undefined;
  const { call, observation, rejected } = last;
  const text = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}` : value);
  return JSON.stringify(
    { step: verdicts.length, call, observation, rules: rejected.map(({ reply }) => reply.rule.id) },
    text,
  );
};

const limited = (pages: number, platform: string): Setting =>
  settingOf(platform, { privileged: false, memlockLimit: BigInt(pages) * 4096n });

const withLimit = (setting: Setting, dmaEntryLimit: number): Setting => ({
  ...setting,
  platform: { ...setting.platform, dmaEntryLimit },
});

/** A setting with other values of the facts. */
const hidden = (kind: number, number: number): Setting => {
  const vtd = settingOf('vtd', PRIVILEGED);
  const { platform } = vtd;
  switch (kind) {
    case 0:
      return limited(number, 'mock');
    case 1:
      return limited(number, 'vtd');
    case 2:
      return withLimit(vtd, 1 + (number % 4));
    case 3:
      return withLimit(limited(number, 'vtd'), 1 + (number % 3));
    case 4: {
      const unsafeInterrupts = { type1: number % 2 === 0, iommufd: number % 3 === 0 };
      return { ...vtd, platform: { ...platform, unsafeInterrupts } };
    }
    default: {
      const group = platform.devices[number % platform.devices.length]?.group ?? 0;
      return { ...vtd, platform: { ...platform, groupsInUse: [group] } };
    }
  }
};

/** Which facts are hidden. */
const KINDS = [
  'RLIMIT_MEMLOCK of mock devices',
  'RLIMIT_MEMLOCK behind an IOMMU',
  'dma_entry_limit',
  'RLIMIT_MEMLOCK and dma_entry_limit',
  'isolated interrupts',
  'groups in use',
];
const SEED = 20_261;
const RUNS = 40;
const LENGTH = 40;

const unstated = suite('facts that are not stated');

for (const [kind, name] of KINDS.entries()) {
  unstated(
    `a right kernel is never called wrong, and the true value is never excluded: ${name}`,
    () => {
      let narrowed = 0;
      fc.assert(
        fc.property(
          fc.nat(24).chain((number) => {
            const setting = hidden(kind, number);
            return fc.tuple(fc.constant(setting), programs(setting, LENGTH));
          }),
          ([setting, program]) => {
            const steps = stepsOn(setting, program);
            const { verdicts, world } = judged(setting, {}, steps);
            assert.is(violationIn(verdicts), undefined);
            const { memlock, dmaEntryLimit, groupsInUse } = world.setting.facts ?? {};
            const pages = setting.credentials.memlockLimit / 4096n;
            if (memlock !== undefined && !setting.credentials.privileged) {
              assert.ok(memlock.atLeast <= pages && pages < memlock.below);
              if (memlock.below <= 24n) narrowed += 1;
            }
            if (dmaEntryLimit !== undefined) {
              const limit = BigInt(setting.platform.dmaEntryLimit);
              assert.ok(dmaEntryLimit.atLeast <= limit && limit < dmaEntryLimit.below);
              if (dmaEntryLimit.below - dmaEntryLimit.atLeast === 1n) narrowed += 1;
            }
            for (const [group, isInUse] of groupsInUse ?? []) {
              assert.is(setting.platform.groupsInUse?.includes(group) === true, isInUse);
              if (isInUse) narrowed += 1;
            }
            const { type1, iommufd } = world.setting.facts?.interrupts ?? {};
            const { unsafeInterrupts } = setting.platform;
            if (type1 === false) assert.is(unsafeInterrupts?.type1, false);
            if (iommufd === false) assert.is(unsafeInterrupts?.iommufd, false);
            if (type1 === false || iommufd === false) narrowed += 1;
          },
        ),
        { seed: SEED + kind, numRuns: RUNS, endOnFailure: true },
      );
      assert.ok(narrowed > 3, `only ${narrowed} programs showed what is hidden`);
    },
  );
}

unstated(
  'the bounds that refusals show are exact: with the first value outside the replies are wrong',
  () => {
    let tried = 0;
    fc.assert(
      fc.property(
        fc.nat(24).chain((number) => {
          const setting = hidden(number % 2, number);
          return fc.tuple(fc.constant(setting), programs(setting, LENGTH));
        }),
        ([setting, program]) => {
          const steps = stepsOn(setting, program);
          const { world } = judged(setting, {}, steps);
          const { memlock } = world.setting.facts ?? {};
          if (memlock === undefined || memlock.below > 24n) return;
          tried += 1;
          const last = Number(memlock.below);
          assert.is(violationIn(judged(setting, { memlock: last - 1 }, steps).verdicts), undefined);
          assert.is.not(violationIn(judged(setting, { memlock: last }, steps).verdicts), undefined);
        },
      ),
      { seed: SEED, numRuns: RUNS, endOnFailure: true },
    );
    assert.ok(tried > 3, `only ${tried} programs met the limit`);
  },
);

/** The facts of a setting, as an input states them that states everything. */
const statedBy = ({ platform, credentials }: Setting): StatedFacts => ({
  dmaEntryLimit: platform.dmaEntryLimit,
  interrupts: platform.unsafeInterrupts ?? { type1: true, iommufd: true },
  groupsInUse: platform.groupsInUse ?? [],
  ...(credentials.privileged ? {} : { memlock: Number(credentials.memlockLimit / 4096n) }),
});

/** A kernel with another value of a fact gives the same wrong replies. */
const EXPLAINED: readonly string[] = ['type1-entry-not-returned', 'type1-mappings-not-limited'];

unstated(
  'a defect that a reply shows is shown without the facts, too, but for those that a fact explains',
  () => {
    let shown = 0;
    const missed = SHOWN_DEFECTS.filter(({ defect, setting, program }) => {
      const machine = new EmulatedMachine(setting, { defects: new Set([defect]) });
      const steps = runProgram(program, machine);
      const isShown = (stated: StatedFacts): boolean =>
        violationIn(judged(setting, stated, steps).verdicts) !== undefined;
      if (!isShown(statedBy(setting))) return false;
      shown += 1;
      return !isShown({});
    });
    assert.ok(shown > 50, `only ${shown} defects`);
    assert.equal(
      missed.map(({ defect }) => defect),
      EXPLAINED,
    );
  },
);

const FACTS: Readonly<Record<string, readonly string[]>> = {
  'memlock-after-dropping-capabilities': [
    'the program dropped its capabilities',
    'RLIMIT_MEMLOCK is below 32 pages',
  ],
  'dma-entry-limit': ['dma_entry_limit is 2 maps'],
  'group-not-viable': ['a driver of the kernel has a device of group 1'],
};

const judgedFile = (name: string) =>
  judgeFile(resolve(FIXTURES, '..', name), {
    verbosity: 'brief',
    signal: new AbortController().signal,
    onProgress: () => {},
  });

unstated('a refusal that no limit explains is a violation', async () => {
  const { violation, facts } = await judgedFile('violations/memlock-that-was-enough.jsonl');
  assert.is(violation?.line, 12);
  assert.equal(facts, ['RLIMIT_MEMLOCK is at least 16 pages and below 32 pages']);
});

for (const [name, facts] of Object.entries(FACTS)) {
  unstated(`recorded on 7.3.4: ${name}`, async () => {
    const result = await judgedFile(`unstated/${name}.jsonl.gz`);
    assert.is(result.badInput, undefined);
    assert.is(result.violation, undefined);
    assert.equal(result.facts, facts);
  });
}

unstated.run();
