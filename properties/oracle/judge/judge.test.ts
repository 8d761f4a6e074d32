// SPDX-License-Identifier: MIT
// The judge's verdicts: which observations conform, which are violations and how they differ, and
// which it cannot decide.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startOfProgram } from '../../../model/programs/builder.ts';
import type { Operation } from '../../../model/programs/program.ts';
import { judge } from '../../../oracle/judge/judge.ts';
import type { Verdict } from '../../../oracle/judge/verdict.ts';
import { objectId } from '../../../spec/abi/units.ts';
import { ioasAt } from '../../../spec/state/context.ts';
import { contextOf, type World } from '../../../spec/state/world.ts';
import type { Observation } from '../../../spec/terms/call.ts';
import { type Answered, IOAS, IOVA, MOCK, OPENED, PAGE } from '../../corpus/example.ts';
import { continued } from '../../helpers/continue.ts';
import { arena, native, vfioPlain } from '../../helpers/operations.ts';

const FD = 3n;
const FILE = 1;

const worldAfter = (steps: readonly Answered[]): World =>
  continued(
    startOfProgram(MOCK),
    steps.map(([operation]) => operation),
  ).world;

/** The verdict on a call with a changed observation. */
const verdictOn = (
  world: World,
  operation: Operation,
  change: (expected: Observation) => Observation,
): Verdict => {
  const [expectation] = continued(world, [operation]).expected;
  if (expectation === undefined) throw new Error('An operation gives one expectation.');
  const { call, result, after } = expectation;
  const expected: Observation = {
    result: result < 0 ? -1 : result,
    errno: result < 0 ? -result : 0,
    memory: after,
  };
  return judge(world, call, change(expected));
};

const same = (expected: Observation): Observation => expected;

const withByte =
  (offset: number, value: number) =>
  (expected: Observation): Observation => ({
    ...expected,
    memory: expected.memory.map((segment, index) =>
      index === 0 ? { ...segment, bytes: segment.bytes.with(offset, value) } : segment,
    ),
  });

const ALLOC = native('ioas', FD, 'IOMMU_IOAS_ALLOC', {});
/** The offset of out_ioas_id, in bytes. */
const ID_AT = 8;

const verdicts = suite('the judge');

verdicts('accepts the expected reply, by its rule', () => {
  const verdict = verdictOn(worldAfter(OPENED), ALLOC, same);
  assert.is(verdict.kind, 'conforms');
  assert.is(verdict.kind === 'conforms' && verdict.rule.id, 'ioas-alloc/allocates');
});

verdicts('accepts another choice that fits, and continues from it', () => {
  const verdict = verdictOn(worldAfter(OPENED), ALLOC, withByte(ID_AT, 77));
  assert.is(verdict.kind, 'conforms');
  assert.ok(ioasAt(contextOf(verdict.world, FILE), objectId(77)));
});

const differencesOf = (verdict: Verdict): readonly string[] =>
  verdict.kind === 'violation'
    ? verdict.rejected.flatMap(({ differences }) => differences.map((difference) => difference.in))
    : [verdict.kind];

verdicts('rejects a choice that does not fit, and says why', () => {
  const verdict = verdictOn(worldAfter(IOAS), ALLOC, withByte(ID_AT, 1));
  assert.equal(differencesOf(verdict), ['choice']);
});

verdicts('rejects another result, and changes of bytes that must not change', () => {
  const world = worldAfter(OPENED);
  const failed = (expected: Observation): Observation => ({ ...expected, result: -1, errno: 12 });
  assert.ok(differencesOf(verdictOn(world, ALLOC, failed)).includes('result'));
  assert.equal(differencesOf(verdictOn(world, ALLOC, withByte(4, 1))), ['memory']);
});

verdicts('names every reply that was allowed, and leaves the world as it was', () => {
  const world = worldAfter(IOAS);
  const map = native('map', FD, 'IOMMU_IOAS_MAP', {
    flags: 7n,
    ioas_id: 1n,
    user_va: arena(16n * PAGE),
    length: PAGE,
    iova: IOVA,
  });
  const verdict = verdictOn(world, map, (expected) => ({ ...expected, result: -1, errno: 22 }));
  assert.is(verdict.kind, 'violation');
  assert.is(verdict.world, world);
  assert.equal(verdict.kind === 'violation' && verdict.rejected.map(({ reply }) => reply.rule.id), [
    'ioas-map/maps',
  ]);
});

verdicts('is undecided if the observation does not show the choice', () => {
  const verdict = verdictOn(worldAfter(OPENED), ALLOC, (expected) => ({ ...expected, memory: [] }));
  assert.is(verdict.kind, 'unknown');
});

verdicts('reports an unspecified call as unspecified', () => {
  const queue = native('queue', FD, 'IOMMU_FAULT_QUEUE_ALLOC', {});
  for (const errno of [0, 2, 95]) {
    const verdict = verdictOn(worldAfter(OPENED), queue, (expected) => ({
      ...expected,
      result: errno === 0 ? 0 : -1,
      errno,
    }));
    assert.is(verdict.kind, 'unspecified');
  }
});

verdicts('does not compare memory that was not read', () => {
  const version = vfioPlain('version', FD, 'VFIO_GET_API_VERSION');
  assert.is(verdictOn(worldAfter(OPENED), version, same).kind, 'conforms');
});

verdicts.run();
