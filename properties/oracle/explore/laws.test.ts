// SPDX-License-Identifier: MIT
// Each law that explore checks can fail: some mistake in some world breaks it.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ACTION_SETS } from '../../../oracle/explore/action-sets/all.ts';
import { MEMORY } from '../../../oracle/explore/action-sets/memory.ts';
import type { Action, ActionSet } from '../../../oracle/explore/actions.ts';
import { WORLD_LAWS } from '../../../oracle/explore/laws.ts';
import { type State, WorldModel } from '../../../oracle/explore/world-model.ts';
import type { World } from '../../../spec/state/world.ts';
import type { Credentials } from '../../../spec/terms/platform.ts';
import { settingOf } from '../../helpers/settings.ts';
import { brokenWorlds } from './broken-worlds.ts';

const test = suite('laws of explored states');

const STATES = 600;

const TWO_PAGES: Credentials = { privileged: false, memlockLimit: 2n * 4096n };

/** For each action the richest world that it led to. */
const richWorlds = (
  { actions, platform }: ActionSet,
  credentials?: Credentials,
): readonly World[] => {
  const model = new WorldModel({ setting: settingOf(platform, credentials), actions });
  const [start] = model.start() as readonly [State];
  const known = new Set<string>();
  const richest = new Map<Action, { readonly world: World; readonly length: number }>();
  const left: State[] = [start];
  for (const state of left) {
    for (const action of model.enabled(state)) {
      const next = model.step(state, action);
      if (next === undefined || next === state) continue;
      const name = Buffer.from(model.canonical(next)).toString('latin1');
      const { length } = name;
      if (length > (richest.get(action)?.length ?? 0)) {
        richest.set(action, { world: next.world, length });
      }
      if (known.size === STATES || known.has(name)) continue;
      known.add(name);
      left.push(next);
    }
  }
  return [...richest.values()].map(({ world }) => world);
};

const breaks = (law: (typeof WORLD_LAWS)[number], world: World): boolean => {
  try {
    return law.contradiction(world) !== undefined;
  } catch {
    // A world on which the law throws does not break it.
    return false;
  }
};

test('each of them can be broken', () => {
  const left = new Set(WORLD_LAWS);
  const worlds = [
    ...ACTION_SETS.flatMap((actionSet) => richWorlds(actionSet)),
    ...richWorlds(MEMORY, TWO_PAGES),
  ];
  for (const world of worlds) {
    for (const law of WORLD_LAWS) assert.is(law.contradiction(world), undefined, law.name);
    if (left.size === 0) break;
    for (const broken of brokenWorlds(world)) {
      for (const law of left) if (breaks(law, broken)) left.delete(law);
    }
  }
  assert.equal(
    [...left].map(({ name }) => name),
    [],
  );
});

test.run();
