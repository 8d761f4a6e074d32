// The explorer on a protocol whose states others have counted, and on models that are made to be broken.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Exploration, explore } from '../../../model/explorer/explore.ts';
import type { Model } from '../../../model/explorer/model.ts';
import { consistency, twoPhaseCommit } from './two-phase-commit.ts';

const test = suite('explorer');

const distinct = (...[model, options]: Parameters<typeof explore<number, unknown>>): number =>
  explore(model, options).counts.distinct;

test('two-phase commit has as many states as others count', () => {
  assert.is(distinct(twoPhaseCommit(3)), 288);
  assert.is(distinct(twoPhaseCommit(5)), 8_832);
});

test('what differs only in which manager is which is one state: 314 of 8,832, and 665 as it is counted elsewhere', () => {
  assert.is(distinct(twoPhaseCommit(5, 'all')), 314);
  // Sorting by a part of the state brings only some of them together; how many depends on the order of the search.
  assert.is(distinct(twoPhaseCommit(5, 'states'), { order: 'depth' }), 665);
});

test('both orders visit the same states', () => {
  for (const count of [2, 3, 4]) {
    const breadth = explore(twoPhaseCommit(count)).counts;
    const depth = explore(twoPhaseCommit(count), { order: 'depth' }).counts;
    assert.is(breadth.distinct, depth.distinct);
    assert.is(breadth.generated, depth.generated);
  }
});

test('a law that holds in every state is not reported', () => {
  const { broken, ended } = explore(twoPhaseCommit(3), { laws: [consistency(3)] });
  assert.is(broken, undefined);
  assert.is(ended, 'whole');
});

/** Counts up by one or doubles. */
const counter: Model<number, 'add' | 'double'> = {
  start: () => [1],
  enabled: () => ['add', 'double'],
  step: (state, action) => (state > 1000 ? undefined : action === 'add' ? state + 1 : state * 2),
  canonical: (state) => state,
};

const differsFrom = (value: number) => ({
  name: `is not ${value}`,
  holds: (state: number) => state !== value,
});

test('a broken law is told with a shortest way into the state', () => {
  const { broken, ended } = explore(counter, { laws: [differsFrom(100)] });
  assert.is(ended, 'broken');
  assert.is(broken?.law, 'is not 100');
  // 1, 2, 3, 6, 12, 24, 25, 50, 100: the binary digits of 100 say that it cannot be done in fewer.
  assert.is(broken?.actions.length, 8);
});

test('the way that is told leads to the state', () => {
  for (const value of [7, 33, 255, 511]) {
    const { broken } = explore(counter, { laws: [differsFrom(value)] });
    const led = (broken?.actions ?? []).reduce(
      (state, action) => counter.step(state, action) ?? Number.NaN,
      1,
    );
    assert.is(led, value);
  }
});

test('bounds end it, and say so', () => {
  const shallow = explore(counter, { bounds: { depth: 3, states: Number.POSITIVE_INFINITY } });
  assert.is(shallow.ended, 'depth');
  const few = explore(counter, { bounds: { depth: Number.POSITIVE_INFINITY, states: 10 } });
  assert.is(few.ended, 'states');
  assert.is(few.counts.distinct, 10);
});

test('a bound that is exactly what there is does not cut', () => {
  const whole = { depth: Number.POSITIVE_INFINITY, states: 288 };
  assert.is(explore(twoPhaseCommit(3), { bounds: whole }).ended, 'whole');
});

test('what was stopped goes on, and visits what it would have visited', () => {
  let looks = 0;
  const stopping = new Exploration(twoPhaseCommit(5), {
    onProgress: () => {
      looks += 1;
      return looks !== 1;
    },
  });
  assert.is(stopping.run().ended, 'stopped');
  const { counts, ended } = stopping.run();
  assert.is(ended, 'whole');
  assert.equal(counts, explore(twoPhaseCommit(5)).counts);
});

test.run();
