// SPDX-License-Identifier: MIT
// The explorer on a protocol whose number of states is published, and on models that break laws.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Exploration, explore, type Shard } from '../../../model/explorer/explore.ts';
import type { Model } from '../../../model/explorer/model.ts';
import { consistency, type TwoPhase, twoPhaseCommit } from '../../helpers/two-phase-commit.ts';
import { bytesInTurn } from './saved-bytes.ts';

const test = suite('explorer');

const distinct = (...[model, options]: Parameters<typeof explore<number, unknown>>): number =>
  explore(model, options).counts.distinct;

test('two-phase commit has the published number of states', () => {
  assert.is(distinct(twoPhaseCommit(3)), 288);
  const { counts, ended } = explore(twoPhaseCommit(5));
  assert.is(ended, 'whole');
  assert.is(counts.distinct, 8_832);
  assert.is(counts.frontier, 0);
});

test('two-phase commit with 7 managers has 296,448 states, which are reached 2,744,706 times', () => {
  const { distinct: states, generated, depth } = explore(twoPhaseCommit(7)).counts;
  assert.equal({ states, generated, depth }, { states: 296_448, generated: 2_744_706, depth: 22 });
});

test('states that differ only by a permutation of managers are one: 314 of 8,832, and 665 as published', () => {
  assert.is(distinct(twoPhaseCommit(5, 'all')), 314);
  // Sorting by a part of the state merges only some of them; how many depends on the order of the
  // search.
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
  contradiction: (state: number) => (state === value ? `it is ${state}` : undefined),
});

test('a broken law is reported with a shortest program that reaches the state', () => {
  const { broken, ended } = explore(counter, { laws: [differsFrom(100)] });
  assert.is(ended, 'broken');
  assert.is(broken?.law, 'is not 100');
  // 1, 2, 3, 6, 12, 24, 25, 50, 100: by the binary digits of 100, fewer steps are impossible.
  assert.is(broken?.actions.length, 8);
});

test('the program that is reported reaches the state', () => {
  for (const value of [7, 33, 255, 511]) {
    const { broken } = explore(counter, { laws: [differsFrom(value)] });
    const led = (broken?.actions ?? []).reduce(
      (state, action) => counter.step(state, action) ?? Number.NaN,
      1,
    );
    assert.is(led, value);
  }
});

test('bounds end it and are reported', () => {
  const shallow = explore(counter, { bounds: { depth: 3, states: Number.POSITIVE_INFINITY } });
  assert.is(shallow.ended, 'depth');
  const few = explore(counter, { bounds: { depth: Number.POSITIVE_INFINITY, states: 10 } });
  assert.is(few.ended, 'states');
  assert.is(few.counts.distinct, 10);
});

test('a bound equal to the number of states does not cut', () => {
  const whole = { depth: Number.POSITIVE_INFINITY, states: 288 };
  assert.is(explore(twoPhaseCommit(3), { bounds: whole }).ended, 'whole');
});

test('a stopped exploration resumes, and visits the same states', () => {
  let probes = 0;
  const stopping = new Exploration(twoPhaseCommit(5), {
    onProgress: () => {
      probes += 1;
      return probes !== 1;
    },
  });
  assert.is(stopping.run().ended, 'stopped');
  const { counts, ended } = stopping.run();
  assert.is(ended, 'whole');
  assert.equal(counts, explore(twoPhaseCommit(5)).counts);
});

/** The same protocol with states that are objects, and keys that are bytes. */
const inObjects = (count: number): Model<{ readonly value: TwoPhase }, unknown> => {
  const model = twoPhaseCommit(count);
  const name = new Uint8Array(6);
  return {
    start: () => model.start().map((value) => ({ value })),
    enabled: ({ value }) => model.enabled(value),
    step: (state, action) => {
      const value = model.step(state.value, action as never);
      return value === undefined || value === state.value ? state : { value };
    },
    canonical: ({ value }) => {
      // Of different lengths; many are prefixes of others.
      let length = 0;
      for (let rest = value + 1; rest > 0; rest = Math.floor(rest / 128)) {
        name[length] = rest % 128;
        length += 1;
      }
      return name.subarray(0, length);
    },
  };
};

test('byte keys and recomputed states make no difference', () => {
  assert.equal(explore(inObjects(5)).counts, explore(twoPhaseCommit(5)).counts);
});

test('the program to a recomputed state reaches it', () => {
  const law = {
    name: 'nobody commits',
    contradiction: ({ value }: { readonly value: TwoPhase }) =>
      consistency(4).contradiction(value) ?? ((value & 7) === 6 ? 'the first commits' : undefined),
  };
  const { broken } = explore(inObjects(4), { laws: [law] });
  // Four prepare, four are received, the transaction commits, and the first commits.
  assert.is(broken?.actions.length, 10);
  assert.is(broken?.states.length, 11);
  assert.equal(broken?.states.at(-1), broken?.state);
});

for (const [name, make] of [
  ['numbers', () => twoPhaseCommit(5)],
  ['bytes', () => inObjects(5)],
] as const) {
  test(`another exploration continues what was saved: ${name}`, () => {
    const model = make() as Model<unknown, unknown>;
    const whole = explore(model);
    const first = new Exploration(model, { bounds: { depth: 6, states: 1e6 } });
    assert.is(first.run().ended, 'depth');
    assert.ok(first.counts.frontier > 0);
    const saved = { at: first.at, read: bytesInTurn(first.bytes()) };
    const second = new Exploration(model, { saved });
    assert.equal(second.counts, first.counts);
    assert.equal(second.run(), whole);
  });

  test(`raising the bound on states changes nothing: ${name}`, () => {
    const model = make() as Model<unknown, unknown>;
    const first = new Exploration(model, { bounds: { depth: 1e6, states: 1000 } });
    assert.is(first.run().ended, 'states');
    const saved = { at: first.at, read: bytesInTurn(first.bytes()) };
    assert.equal(new Exploration(model, { saved }).run(), explore(model));
  });
}

test('all shards together explore every state, each a part of them', () => {
  for (const make of [() => twoPhaseCommit(4), () => inObjects(4)]) {
    const model = make() as Model<unknown, unknown>;
    const names = (shard?: Shard): ReadonlySet<string> => {
      const met = new Set<string>();
      const law = {
        name: 'is noted',
        contradiction: (state: unknown) => {
          met.add(JSON.stringify(state));
          return undefined;
        },
      };
      const bounds = { depth: 6, states: 1e6 };
      const part = shard === undefined ? {} : { shard };
      const { ended } = explore(model, { laws: [law], bounds, ...part });
      assert.is(ended, 'depth');
      return met;
    };
    const all = names();
    const parts = [0, 1].map((index) => names({ index, of: 2 }));
    assert.equal(new Set(parts.flatMap((part) => [...part])), all);
    for (const part of parts) assert.ok(part.size < all.size, `${part.size} of ${all.size}`);
  }
});

test('an invalid key is refused', () => {
  const named = (key: number | Uint8Array) =>
    explore({ ...counter, canonical: () => key }, { laws: [] });
  assert.throws(() => named(-2), 'no whole number');
  assert.throws(() => named(0.5), 'no whole number');
  assert.throws(() => named(new Uint8Array()), '0 bytes');
});

test.run();
