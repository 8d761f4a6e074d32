// SPDX-License-Identifier: MIT
// Worlds that no program of one process reaches on the platforms that programs are generated for: containers without an
// IOMMU, other processes, kernels without test commands, objects of which only the id is known.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DATA_OFFSET } from '../../model/programs/arena.ts';
import { startOfProgram } from '../../model/programs/builder.ts';
import type { Operation } from '../../model/programs/program.ts';
import { objectId } from '../../spec/abi/units.ts';
import { VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU } from '../../spec/abi/vfio.ts';
import type { Outcome, Reply } from '../../spec/outcome/outcome.ts';
import type { RuleId } from '../../spec/rules.ts';
import { accessAt, type Context, withObject } from '../../spec/state/context.ts';
import { accountOf } from '../../spec/state/memory.ts';
import { contextOf, type World, withContext } from '../../spec/state/world.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import type { Rule } from '../../spec/terms/rule.ts';
import {
  ACCESS,
  type Answered,
  ATTACHED,
  COMPAT,
  IOAS,
  IOVA,
  ioasId,
  MOCK,
  OPENED,
  PAGE,
} from '../corpus/example.ts';
import { assertRule } from '../helpers/assert-rule.ts';
import { continued, forked, outcomesOf } from '../helpers/continue.ts';
import {
  arena,
  ioctl,
  memfd,
  munmap,
  native,
  out,
  test,
  vfioPlain,
} from '../helpers/operations.ts';
import { record } from '../helpers/reached-rules.ts';
import { LIMITED, settingOf } from '../helpers/settings.ts';

const worldOf = (steps: readonly Answered[], setting: Setting = MOCK): World =>
  continued(
    startOfProgram(setting),
    steps.map(([operation]) => operation),
  ).world;

/** The one file of each world here is an iommufd, behind descriptor 3. */
const FILE = 1;
const FD = 3n;
/** The IOAS of these worlds. */
const FIRST_ID = 1n;

const changed = (world: World, change: (context: Context) => Partial<Context>): World => {
  const context = contextOf(world, FILE);
  return withContext(world, { ...context, ...change(context) });
};

const replyTo = (world: World, operation: Operation, process = 1): Reply => {
  const [outcome] = outcomesOf(world, operation, process);
  if (outcome?.kind !== 'reply') throw new Error('The call is not specified.');
  record(outcome.rule.id);
  return outcome;
};

const ruleOf = (world: World, operation: Operation, process = 1): Rule =>
  replyTo(world, operation, process).rule;

const other = suite('other worlds');

const map = (label: string, iova: bigint, length: bigint) =>
  native(label, FD, 'IOMMU_IOAS_MAP', {
    flags: 7n,
    ioas_id: FIRST_ID,
    user_va: arena(DATA_OFFSET),
    length,
    iova,
  });

other('a container without an IOMMU has no type but NOIOMMU, and no privilege no container', () => {
  const setIommu = (type: bigint) => vfioPlain('set', FD, 'VFIO_SET_IOMMU', type);
  const asks = (extension: bigint) => vfioPlain('ask', FD, 'VFIO_CHECK_EXTENSION', extension);
  for (const [credentials, rule] of [
    [MOCK.credentials, 'compat-set-iommu/no-iommu'],
    [LIMITED, 'compat-set-iommu/no-iommu-not-privileged'],
  ] as const) {
    const world = changed(worldOf(COMPAT, settingOf('mock', credentials)), () => ({
      noIommu: true,
    }));
    assertRule(ruleOf(world, setIommu(8n)), rule);
    assertRule(ruleOf(world, setIommu(VFIO_TYPE1_IOMMU)), 'compat-set-iommu/unknown-type');
    assert.is(replyTo(world, asks(VFIO_TYPE1v2_IOMMU)).result, 0);
    assert.is(replyTo(world, asks(8n)).result, 1);
  }
  const without = { ...MOCK, platform: { ...MOCK.platform, noIommuConfigured: false } };
  assert.is(replyTo(worldOf(COMPAT, without), asks(8n)).result, 0);
});

other('a kernel without test commands has native calls up to its last one', () => {
  for (const [release, last] of [
    ['6.12.95', 0x3b8e],
    ['7.3.4', 0x3b95],
  ] as const) {
    const setting: Setting = {
      ...MOCK,
      release,
      platform: { ...MOCK.platform, testCommands: false },
    };
    const world = worldOf(OPENED, setting);
    assertRule(ruleOf(world, ioctl('last', FD, last, 0n)), 'ioctl-dispatch/size-fault');
    for (const number of [last + 1, 0x3ba0]) {
      const rule = ruleOf(world, ioctl('beyond', FD, number, 0n));
      assertRule(rule, 'compat-dispatch/unknown-ioctl');
    }
    const fuzzer = native('copy', FD, 'IOMMU_IOAS_COPY', { flags: 0x1_0007n });
    assertRule(ruleOf(world, fuzzer), 'ioas-copy/unknown-flags');
  }
});

other('if maps are charged to the process, its own limit applies', () => {
  const world = changed(worldOf([...IOAS, ATTACHED], settingOf('mock', LIMITED)), () => ({
    accounting: 'process',
  }));
  assertRule(ruleOf(world, map('much', IOVA, 21n * PAGE)), 'locked-memory/process-limit');
  const { world: after } = replyTo(world, map('some', IOVA, 20n * PAGE));
  assert.equal(accountOf(after.memory, 1), { locked: 20, pinned: 20 });
  assert.is(after.memory.userLocked, 0);
  const { world: unmapped } = replyTo(
    after,
    native('unmap', FD, 'IOMMU_IOAS_UNMAP', { ioas_id: FIRST_ID, iova: IOVA, length: 20n * PAGE }),
  );
  assert.equal(accountOf(unmapped.memory, 1), { locked: 0, pinned: 0 });
});

other('an access that is attached to nothing reaches nothing', () => {
  const world = changed(worldOf([...IOAS, ACCESS]), (context) => {
    const access = accessAt(context, objectId(2));
    if (access === undefined) throw new Error('The access has another id.');
    return withObject(context, objectId(2), { ...access, ioas: undefined });
  });
  for (const name of ['ACCESS_PAGES', 'ACCESS_RW'] as const) {
    const call = test('use', FD, name, { id: 4n, length: 8n, uptr: 0n });
    assertRule(ruleOf(world, call), 'accesses/detached');
  }
});

type Possible<Said = string> = readonly (readonly [Said, boolean])[];

/** Rules by which a call may be answered, and whether each is only possible. */
const possible = (outcomes: readonly Outcome[]): Possible =>
  outcomes.map((outcome) => {
    if (outcome.kind !== 'reply') return [outcome.what, outcome.doubtful ?? false];
    record(outcome.rule.id);
    return [outcome.rule.id, outcome.unknown !== undefined];
  });

other('an object of which only the id is known can be destroyed, or not', () => {
  const world = changed(worldOf(OPENED), (context) =>
    withObject(context, objectId(9), { kind: 'unspecified', madeBy: 'a call' }),
  );
  const destroy = native('destroy', FD, 'IOMMU_DESTROY', { id: 9n });
  assert.equal(possible(outcomesOf(world, destroy)), [
    ['destroy/untracked', true],
    ['destroy/in-use', true],
    ['destroy/no-object', true],
  ] satisfies Possible<RuleId>);
});

other('an iommufd that an unspecified call may have changed is unspecified', () => {
  const world = changed(worldOf(COMPAT), () => ({ untracked: 'a call' }));
  const said = ['a call may have changed it', true] as const;
  assert.equal(possible(outcomesOf(world, map('map', IOVA, PAGE))), [said]);
  const extension = vfioPlain('ask', FD, 'VFIO_CHECK_EXTENSION', 1n);
  assert.equal(possible(outcomesOf(world, extension)), [said]);
  // What does not depend on it is said.
  assertRule(
    ruleOf(world, vfioPlain('version', FD, 'VFIO_GET_API_VERSION')),
    'compat-dispatch/api-version',
  );
});

const withFile: readonly Answered[] = [
  ...IOAS,
  ATTACHED,
  [memfd('file', 16n * PAGE), 'program-memory/creates-file'],
  [
    native('map', 'iommufd', 'IOMMU_IOAS_MAP_FILE', {
      flags: 7n,
      ioas_id: ioasId,
      fd: out('file'),
      length: 15n * PAGE,
      iova: IOVA,
    }),
    'ioas-map-file/maps',
  ],
];

const change = native('change', FD, 'IOMMU_IOAS_CHANGE_PROCESS', {});

other('what is pinned of files passes to the process that asks for it', () => {
  const world = forked(worldOf(withFile, settingOf('mock')));
  const { world: after, rule } = replyTo(world, change, 2);
  assertRule(rule, 'ioas-change-process/changes');
  assert.equal(accountOf(after.memory, 1), { locked: 0, pinned: 0 });
  assert.equal(accountOf(after.memory, 2), { locked: 0, pinned: 15 });
});

other('both processes are charged for a moment, and the user only once', () => {
  const world = forked(worldOf(withFile, settingOf('mock', LIMITED)));
  assertRule(ruleOf(world, change, 2), 'locked-memory/user-limit');
  assertRule(ruleOf(world, change, 1), 'ioas-change-process/changes');
});

other('another process reads by IOVA what is pinned, or what the first has now', () => {
  const world = forked(worldOf([...IOAS, ACCESS, [map('map', IOVA, 2n * PAGE), 'ioas-map/maps']]));
  const read = test('read', FD, 'ACCESS_RW', {
    id: 4n,
    iova: IOVA + PAGE - 4n,
    length: 8n,
    uptr: arena(6n * PAGE),
  });
  assertRule(ruleOf(world, read, 2), 'test-access-rw/copies');
  const alone = continued(world, [munmap('unmap', DATA_OFFSET, 2n * PAGE)]).world;
  assertRule(ruleOf(alone, read, 2), 'pinning/not-mapped');
  assertRule(ruleOf(alone, read, 1), 'test-access-rw/memory-fault');
});

other.run();
