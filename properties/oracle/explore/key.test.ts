// SPDX-License-Identifier: MIT
// No call of the action set distinguishes two states with the same key, and their next states have
// the same keys again: so exploring only one of them loses nothing.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ACTION_SETS } from '../../../oracle/explore/action-sets/all.ts';
import type { ActionSet } from '../../../oracle/explore/actions.ts';
import { type State, WorldModel } from '../../../oracle/explore/world-model.ts';
import { MIXED_PLATFORM, platformNamed } from '../../../spec/terms/platforms.ts';
import { OUTER_RELEASES } from '../../../spec/terms/releases.ts';
import { settingOf } from '../../helpers/settings.ts';
import { distinguishable } from './distinguishable.ts';

const test = suite('keys of explored states');

const STATES = 700;
const PAIRS = 120;

/** Pairs of states that were reached by different programs and have one name, spread over what is met. */
const pairsOf = (
  model: WorldModel,
  nameOf: (state: State) => string,
): readonly (readonly [State, State])[] => {
  const [start] = model.start();
  const known = new Map<string, State>([[nameOf(start as State), start as State]]);
  const pairs: (readonly [State, State])[] = [];
  const left = [start as State];
  for (const state of left) {
    for (const action of model.enabled(state)) {
      const next = model.step(state, action);
      if (next === undefined || next === state) continue;
      const name = nameOf(next);
      const first = known.get(name);
      if (first !== undefined) pairs.push([first, next]);
      else if (known.size < STATES) {
        known.set(name, next);
        left.push(next);
      }
    }
  }
  const every = Math.max(1, Math.floor(pairs.length / PAIRS));
  return pairs.filter((_, index) => index % every === 0);
};

const modelOf = ({ actions, platform }: ActionSet, release: (typeof OUTER_RELEASES)[number]) =>
  new WorldModel({
    setting: { ...settingOf('mock'), release, platform: platformNamed(platform) ?? MIXED_PLATFORM },
    actions,
  });

for (const actionSet of ACTION_SETS) {
  for (const release of OUTER_RELEASES) {
    test(`${actionSet.name}, ${release}: equal keys, and nothing distinguishes them`, () => {
      const model = modelOf(actionSet, release);
      const pairs = pairsOf(model, (state) => Buffer.from(model.canonical(state)).toString('hex'));
      assert.ok(pairs.length >= PAIRS, `${pairs.length} pairs`);
      for (const [one, other] of pairs) assert.is(distinguishable(model, one, other), undefined);
    });
  }
}

test('incomplete keys are noticed', () => {
  for (const actionSet of ACTION_SETS) {
    const model = modelOf(actionSet, '7.3.4');
    const pairs = pairsOf(model, (state) => `${model.canonical(state).length}`);
    assert.ok(
      pairs.some(([one, other]) => distinguishable(model, one, other) !== undefined),
      actionSet.name,
    );
  }
});

test.run();
