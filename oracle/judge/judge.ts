// SPDX-License-Identifier: MIT
// Compares a subject's reply with the allowed replies. The judge never guesses: it reads the kernel's choices from
// the observation, and reports if an observation does not show enough.

import type { Outcome, Reply, Unspecified } from '../../spec/outcome/outcome.ts';
import type { World } from '../../spec/state/world.ts';
import { step, withStores } from '../../spec/step.ts';
import { type Call, memoryRead, type Observation } from '../../spec/terms/call.ts';
import { chosenIn, differencesFrom } from './compare.ts';
import { judgeUndecided } from './undecided-changes.ts';
import type { Rejected, Verdict } from './verdict.ts';

type Held =
  | { readonly kind: 'match'; readonly world: World }
  | { readonly kind: 'not shown' }
  | { readonly kind: 'rejected'; readonly rejected: Rejected };

/** The world after the reply, with these choices. */
const worldAfter = ({ choices, world }: Reply, values: readonly bigint[]): World => {
  if (choices === undefined) return world;
  const isPreferred = choices.list.every(({ preferred }, index) => preferred === values[index]);
  return isPreferred ? world : choices.world(values);
};

const hold = (reply: Reply, call: Call, observation: Observation): Held => {
  const sameResult = reply.errno === observation.errno;
  const chosen = sameResult ? chosenIn(reply, observation) : undefined;
  if (chosen?.kind === 'not shown') return { kind: 'not shown' };
  if (chosen?.kind === 'unfit') {
    return { kind: 'rejected', rejected: { reply, differences: [chosen.difference] } };
  }
  const values = chosen?.values ?? [];
  const differences = differencesFrom(reply, memoryRead(call), observation, values);
  if (differences.length > 0) return { kind: 'rejected', rejected: { reply, differences } };
  const world = worldAfter(reply, values);
  return {
    kind: 'match',
    // Includes writes outside the memory that was read: only they show the choices.
    world:
      reply.writes.length === 0 || world.memory.knowledge === 'recorded'
        ? world
        : withStores(world, call.process, [...reply.writes, ...observation.memory]),
  };
};

const unspecified = (outcome: Unspecified, observation: Observation): Verdict => {
  const after = observation.memory[0]?.bytes ?? new Uint8Array();
  const { errno, result } = observation;
  const world = outcome.world({ errno, result, after });
  return outcome.doubtful
    ? { kind: 'unknown', why: outcome.what, world }
    : { kind: 'unspecified', what: outcome.what, world };
};

const accepted = (reply: Reply, world: World): Verdict => {
  if (reply.unknown !== undefined) return { kind: 'unknown', why: reply.unknown, world };
  const { rule, deviation } = reply;
  return deviation === undefined
    ? { kind: 'conforms', rule, world }
    : { kind: 'deviation', rule, deviation, world };
};

/** The verdict on one call, from outcomes that are computed already. */
export const judgeAmong = (
  outcomes: readonly Outcome[],
  world: World,
  call: Call,
  observation: Observation,
): Verdict => {
  const rejected: Rejected[] = [];
  for (const outcome of outcomes) {
    if (outcome.kind === 'unspecified') return unspecified(outcome, observation);
    const held = hold(outcome, call, observation);
    if (held.kind === 'match') return accepted(outcome, held.world);
    if (held.kind === 'not shown') {
      const why = 'the observation does not show what the kernel chose';
      return { kind: 'unknown', why, world: outcome.world };
    }
    rejected.push(held.rejected);
  }
  return { kind: 'violation', call, observation, rejected, world };
};

/** The verdict on one call, and the world after it. */
export const judge = (before: World, call: Call, observation: Observation): Verdict =>
  judgeUndecided(before, (world) => judgeAmong(step(world, call), world, call, observation));
