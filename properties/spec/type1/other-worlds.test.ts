// SPDX-License-Identifier: MIT
// Worlds of legacy containers that no program of one process reaches on the platforms that programs are generated for: other
// processes, IOMMUs that nobody has, groups that are not specified, and what is not known.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ARRAY_OFFSET } from '../../../model/programs/arena.ts';
import { startOfProgram } from '../../../model/programs/builder.ts';
import type { Operation } from '../../../model/programs/program.ts';
import type { Outcome, Reply } from '../../../spec/outcome/outcome.ts';
import type { RuleId } from '../../../spec/rules.ts';
import { accountOf } from '../../../spec/state/memory.ts';
import type { World } from '../../../spec/state/world.ts';
import { step, withStores } from '../../../spec/step.ts';
import type { Setting } from '../../../spec/terms/platform.ts';
import { type Answered, example, OPENED, VTD } from '../../corpus/example.ts';
import {
  DATA,
  dataAt,
  group,
  joins,
  LIMITED_VTD,
  maps,
  opened,
  PAGE,
  unmaps,
  vtdWith,
  withGroup,
} from '../../corpus/type1-steps.ts';
import { assertRule } from '../../helpers/assert-rule.ts';
import { worldDifference } from '../../helpers/comparable.ts';
import { continued, forked, outcomesOf } from '../../helpers/continue.ts';
import { arena, getDeviceFd, ioctl, open, vfio, vfioPlain } from '../../helpers/operations.ts';
import { record } from '../../helpers/reached-rules.ts';
import { platform, settingOf } from '../../helpers/settings.ts';

const worldOf = (steps: Parameters<typeof example>[1], setting: Setting): World =>
  continued(
    startOfProgram(setting),
    example('', steps, setting).steps.map(([operation]) => operation),
  ).world;

/** The container of these worlds. */
const FD = 3n;

const replyTo = (world: World, operation: Operation, process = 1): Reply => {
  const [outcome] = outcomesOf(world, operation, process);
  if (outcome?.kind !== 'reply') throw new Error('The call is not specified.');
  record(outcome.rule.id);
  return outcome;
};

/** Rules by which a call may be answered, or what is said of it, and whether that is certain. */
type Possible<Said = string> = readonly (readonly [Said, boolean])[];

const possible = (outcomes: readonly Outcome[]): Possible =>
  outcomes.map((outcome) =>
    outcome.kind === 'reply'
      ? [outcome.rule.id, outcome.unknown === undefined]
      : [outcome.what, !outcome.doubtful],
  );

const NOIOMMU = settingOf('noiommu');

/** A container that a no-IOMMU group has joined, which is descriptor 4; or an iommufd if that was opened first. */
const WITH_NOIOMMU: readonly Answered[] = [
  opened,
  [open('group', '/dev/vfio/noiommu-0'), 'open/group'],
  [vfio('join', 4n, 'VFIO_GROUP_SET_CONTAINER', { fd: FD }), 'group-set-container/joins-no-iommu'],
];

/** The setting of a machine that does not say whether devices without an IOMMU are allowed. */
const unreportedOf = (setting: Setting): Setting => {
  const { noIommuEnabled: _, ...platform } = setting.platform;
  return { ...setting, platform };
};

const other = suite('other worlds of legacy containers');

const mapping = (fields: Readonly<Record<string, bigint>>): Operation =>
  vfio('map', FD, 'VFIO_IOMMU_MAP_DMA', { flags: 3n, vaddr: DATA, size: PAGE, ...fields });

const withoutAddress = [
  withGroup(),
  maps('map', { size: 15n * PAGE }),
  unmaps('takes', { flags: 4n, size: 15n * PAGE }, 'invalidates-vaddrs'),
];

const givesAddress = vfio('gives', FD, 'VFIO_IOMMU_MAP_DMA', {
  flags: 4n,
  vaddr: dataAt(20n),
  size: 15n * PAGE,
});

other('the process that sets the vaddr of a map is charged for it from then on', () => {
  const world = forked(worldOf(withoutAddress, LIMITED_VTD));
  const { world: after, rule } = replyTo(world, givesAddress, 2);
  assertRule(rule, 'type1-map-dma/sets-vaddr');
  assert.is(accountOf(after.memory, 1).locked, 0);
  assert.is(accountOf(after.memory, 2).locked, 15);
  const { world: gone } = replyTo(after, vfio('all', FD, 'VFIO_IOMMU_UNMAP_DMA', { flags: 2n }));
  assert.is(accountOf(gone.memory, 2).locked, 0);
});

other('a process that has locked too much cannot set it', () => {
  const world = forked(worldOf(withoutAddress, LIMITED_VTD));
  const { world: busy } = replyTo(world, mapping({ iova: 0x10_0000n, size: 6n * PAGE }), 2);
  const { rule, world: after } = replyTo(busy, givesAddress, 2);
  assertRule(rule, 'type1-locked-memory/new-owner-limit');
  assert.is(worldDifference(busy, after), undefined);
});

other('a group that reserves everything cannot be attached', () => {
  const [first] = platform('vtd').devices;
  const setting = vtdWith({
    devices: [
      {
        name: first?.name ?? '',
        group: 4,
        iommu: 0,
        reserved: [{ start: 0n, last: 0xffff_ffff_ffffn }],
      },
    ],
  });
  const world = worldOf([opened, group('group', 4), joins('join', 'group')], setting);
  const { rule } = replyTo(world, vfioPlain('type', FD, 'VFIO_SET_IOMMU', 3n));
  assertRule(rule, 'type1-attach-group/no-iova-left');
});

other(
  'type1 over an IOMMU without small pages is not specified, and neither is what follows',
  () => {
    const [iommu] = platform('vtd').iommus;
    if (iommu === undefined) throw new Error('The platform has no IOMMU.');
    const setting = vtdWith({ iommus: [{ ...iommu, pageSizes: 0x1_0000n }] });
    const world = worldOf([opened, group('group', 4), joins('join', 'group')], setting);
    const [outcome] = outcomesOf(world, vfioPlain('type', FD, 'VFIO_SET_IOMMU', 3n));
    if (outcome?.kind !== 'unspecified') throw new Error('The call is specified.');
    const after = outcome.world({ errno: 0, result: 0, after: new Uint8Array() });
    const [said] = possible(outcomesOf(after, mapping({})));
    assert.equal(said, [outcome.what, false]);
    assert.is(outcome.world({ errno: 22, result: -1, after: new Uint8Array() }), world);
    const { world: left } = replyTo(after, vfioPlain('leave', 4n, 'VFIO_GROUP_UNSET_CONTAINER'));
    assertRule(replyTo(left, ioctl('info', FD, 0x3b70, 0n)).rule, 'type1-dispatch/no-type');
  },
);

other('a group that is not specified makes a container that it joins untracked', () => {
  const world = worldOf([opened], VTD);
  const process = 1;
  const [opens] = step(world, { kind: 'open', process, path: '/dev/vfio/by-name' });
  if (opens?.kind !== 'unspecified') throw new Error('The group is specified.');
  const withIt = opens.world({ errno: 0, result: 4, after: new Uint8Array() });
  const [set] = outcomesOf(withIt, vfio('join', 4n, 'VFIO_GROUP_SET_CONTAINER', { fd: FD }));
  if (set?.kind !== 'unspecified') throw new Error('The call is specified.');
  const joined = set.world({ errno: 0, result: 0, after: new Uint8Array() });
  const [[, isCertain] = []] = possible(
    outcomesOf(joined, vfioPlain('type', FD, 'VFIO_SET_IOMMU', 8n)),
  );
  assert.is(isCertain, false);
});

other('whether no-IOMMU mode is allowed is asked for and not known', () => {
  const asks = vfioPlain('ask', FD, 'VFIO_CHECK_EXTENSION', 8n);
  const rule: RuleId = 'type1-check-extension/no-iommu';
  const unreported = unreportedOf(VTD);
  assert.equal(possible(outcomesOf(worldOf([opened], unreported), asks)), [
    [rule, true],
    [rule, false],
  ]);
  assert.equal(possible(outcomesOf(worldOf([opened], VTD), asks)), [[rule, true]]);
  const joined = worldOf([opened, group('group', 4), joins('join', 'group')], unreported);
  assert.equal(possible(outcomesOf(joined, asks)), [[rule, true]]);
  const without = vtdWith({ noIommuConfigured: false });
  assert.equal(possible(outcomesOf(worldOf([opened], without), asks)), [[rule, true]]);
});

other('if it is unknown, a no-IOMMU group gets its type or not', () => {
  const world = worldOf(WITH_NOIOMMU, unreportedOf(NOIOMMU));
  assert.equal(possible(outcomesOf(world, vfioPlain('type', FD, 'VFIO_SET_IOMMU', 8n))), [
    ['type1-set-iommu/no-iommu', true],
    ['type1-set-iommu/no-iommu-only', false],
  ] satisfies Possible<RuleId>);
});

other('a process that lost its privilege can do nothing with a no-IOMMU group', () => {
  const sets = vfio('join', 4n, 'VFIO_GROUP_SET_CONTAINER', { fd: FD });
  const gets = getDeviceFd('device', 4n, '0000:00:01.0');
  const type = vfioPlain('type', FD, 'VFIO_SET_IOMMU', 8n);
  const ready = [...WITH_NOIOMMU, [type, 'type1-set-iommu/no-iommu'] as const];
  const onIommufd = [OPENED, WITH_NOIOMMU.slice(1)].flat();
  for (const [steps, operation, rule] of [
    [WITH_NOIOMMU.slice(0, 2), sets, 'group-set-container/no-iommu-not-privileged'],
    [WITH_NOIOMMU, type, 'type1-set-iommu/no-iommu-not-privileged'],
    [ready, gets, 'group-get-device-fd/type1-no-iommu-not-privileged'],
    [onIommufd, gets, 'group-get-device-fd/no-iommu-not-privileged'],
  ] as const) {
    const world = worldOf(steps, NOIOMMU);
    const credentials = { ...NOIOMMU.credentials, privileged: false };
    const unprivileged = { ...world, setting: { ...NOIOMMU, credentials } };
    const { rule: found, world: after } = replyTo(unprivileged, operation);
    assertRule(found, rule);
    assert.is(worldDifference(unprivileged, after), undefined);
  }
});

other('whether high addresses are user memory depends on the processor', () => {
  const world = worldOf([withGroup(), maps('map')], VTD);
  const asks = (bitmap_data: bigint): Operation =>
    vfio('report', FD, 'VFIO_IOMMU_DIRTY_PAGES with bitmap', {
      flags: 4n,
      size: PAGE,
      bitmap_pgsize: PAGE,
      bitmap_size: 8n,
      bitmap_data,
    });
  const outside: RuleId = 'type1-dirty-pages/bitmap-outside-user-memory';
  const notTracking: RuleId = 'type1-dirty-pages/not-tracking';
  const rulesAt = (address: bigint) =>
    possible(outcomesOf(world, asks(address))).map(([rule]) => rule);
  assert.equal(rulesAt(0x7fff_ffff_eff8n), [notTracking]);
  assert.equal(rulesAt(0x7fff_ffff_eff9n), [outside, notTracking]);
  assert.equal(rulesAt(0x8000_0000_0000_0000n), [outside]);
  assert.equal(rulesAt(0xffff_ffff_ffff_ffffn), [outside]);
});

other('each written page is reported at its bit', () => {
  const reports = vfio('report', FD, 'VFIO_IOMMU_DIRTY_PAGES with bitmap', {
    flags: 4n,
    size: 128n * PAGE,
    bitmap_pgsize: PAGE,
    bitmap_size: 16n,
    bitmap_data: arena(ARRAY_OFFSET),
  });
  const world = worldOf(
    [
      withGroup(),
      maps('first', { iova: 3n * PAGE, size: 2n * PAGE }),
      maps('second', { iova: 62n * PAGE, size: 4n * PAGE }),
      [
        vfio('start', 'container', 'VFIO_IOMMU_DIRTY_PAGES', { flags: 1n }),
        'type1-dirty-pages/starts',
      ],
    ],
    VTD,
  );
  const shown = (writes: Reply['writes']): readonly string[] =>
    writes.map(({ bytes }) => Buffer.from(bytes).toString('hex'));
  const { writes, world: after } = replyTo(world, reports);
  assert.equal(shown(writes), ['1800000000000000', '18000000000000c00300000000000000']);
  // Of bits that were moved only as many are cleared as there are pages, from bit 0 on: the rest is moved once more.
  const again = replyTo(withStores(after, 1, writes), reports);
  assert.equal(shown(again.writes), ['d8000000000000c0', 'd8000000000000c007000000000000f0']);
});

other('an open container is a file of its own', () => {
  const twice = continued(startOfProgram(VTD), [
    open('one', '/dev/vfio/vfio'),
    open('two', '/dev/vfio/vfio'),
  ]);
  assert.equal(
    twice.expected.map(({ result }) => result),
    [3, 4],
  );
});

other.run();
