// SPDX-License-Identifier: MIT
// Laws of the step: what every step does, whatever the call.

import { isDeepStrictEqual } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CHANGES_THOUGH_REFUSED } from '../../model/laws/changes-though-refused.ts';
import type { Outcome, Reply } from '../../spec/outcome/outcome.ts';
import { partsMetBy } from '../../spec/parts-met.ts';
import { partsUsedBy } from '../../spec/parts-used.ts';
import { ALL_PARTS, ALL_RULES, partIdOf } from '../../spec/rules.ts';
import { mappingAt } from '../../spec/state/address-space.ts';
import { spaceOf } from '../../spec/state/memory.ts';
import { step } from '../../spec/step.ts';
import type { Rule } from '../../spec/terms/rule.ts';
import { checkLaws, eachStep, type Law, sometimes } from '../harness/law.ts';
import { type Visit, visits } from '../harness/visits.ts';
import { difference, worldDifference } from '../helpers/comparable.ts';
import { firstOf, hex } from '../helpers/worlds.ts';

const known = new Set<Rule>(ALL_RULES);

const repliesOf = (visit: Visit): readonly Reply[] =>
  step(visit.before, visit.call).filter((outcome) => outcome.kind === 'reply');

/** Every call has at least one outcome. */
const alwaysAnOutcome = eachStep('every call has an outcome', ({ before, call }) =>
  step(before, call).length > 0 ? undefined : 'none',
);

/** A rule that refuses gives its own error, and one that grants gives none and a result. */
const errnoIsTheRules = eachStep('replies have the error of their rule', ({ rule, result }) =>
  rule === undefined || (rule.errno === undefined) === result >= 0
    ? undefined
    : `${rule.id} with result ${result}`,
);

/** Every reply names a rule that the reference lists. */
const rulesAreListed = eachStep('every reply names a rule of the reference', ({ rule }) =>
  rule === undefined || known.has(rule) ? undefined : rule.id,
);

const mayChange = new Set<string>(CHANGES_THOUGH_REFUSED.map(({ rule }) => rule));

/** A call that is refused leaves the world as it was, but for the rules that say otherwise. */
const refusalsChangeNothing = eachStep('a refused call changes nothing', (visit) => {
  if (visit.result >= 0 || visit.rule === undefined || mayChange.has(visit.rule.id))
    return undefined;
  const changed = worldDifference(visit.before, visit.after);
  return changed === undefined ? undefined : `${visit.rule.id} changes ${changed}`;
});

/** The world that is given to a step is not changed by it. */
const worldsAreKept = eachStep(
  'a step leaves the world that it is given',
  ({ before, call }) => {
    const kept = structuredClone(before);
    for (const outcome of step(before, call)) {
      if (outcome.kind === 'reply')
        outcome.choices?.world(outcome.choices.list.map(({ preferred }) => preferred));
    }
    return isDeepStrictEqual(before, kept) ? undefined : (difference(kept, before) ?? 'it changed');
  },
  11,
);

const withoutFunctions = (outcome: Outcome): unknown =>
  outcome.kind === 'unspecified'
    ? { what: outcome.what }
    : { ...outcome, choices: outcome.choices?.list.map(({ unfit: _, ...choice }) => choice) };

/** The same world and call give the same outcomes again. */
const stepIsAFunction = eachStep(
  'a step depends on nothing but the world and the call',
  ({ before, call }) =>
    difference(step(before, call).map(withoutFunctions), step(before, call).map(withoutFunctions)),
  5,
);

/** What the kernel is known to choose may be chosen, and leads to the world of the reply. */
const preferredChoicesFit = eachStep('what is preferred may be chosen', (visit) =>
  firstOf(
    repliesOf(visit).map(({ choices, world }) => {
      if (choices === undefined) return undefined;
      const chosen = choices.list.map(({ preferred }) => preferred);
      const unfit = firstOf(
        choices.list.map((choice, index) => choice.unfit(choice.preferred, chosen.slice(0, index))),
      );
      return unfit ?? worldDifference(choices.world(chosen), world);
    }),
  ),
);

/** The kernel writes only where the program itself may write. */
const writesAreAllowed = eachStep('the kernel writes only what the program may write', (visit) => {
  const { before, call } = visit;
  const space = spaceOf(before.memory, call.process);
  for (const { writes } of repliesOf(visit)) {
    for (const { address, bytes } of writes) {
      for (let at: bigint = address; at < address + BigInt(bytes.length); ) {
        const found = mappingAt(space, at);
        if (found?.mapping.protection !== 'read-write') return `${hex(at)} is written`;
        at = found.mapping.last + 1n;
      }
    }
  }
  return undefined;
});

/** Each rule that is declared to change state on a refusal does so in some step. */
const changesAreSeen: readonly Law[] = CHANGES_THOUGH_REFUSED.map(({ rule, reason }) =>
  sometimes(
    `${rule} changes something: ${reason}`,
    (visit) => visit.rule?.id === rule && worldDifference(visit.before, visit.after) !== undefined,
  ),
);

/** The rule of a reply is one of the call's own, or of a part that the call is listed to use. */
const rulesAreMet = eachStep('a reply is by a rule of a part that the call meets', (visit) =>
  visit.rule === undefined || partsMetBy(visit.before, visit.call).includes(partIdOf(visit.rule))
    ? undefined
    : `${visit.rule.id} is of none of ${partsMetBy(visit.before, visit.call).join(', ')}`,
);

/** Uses that take more than one process; properties/spec/other-worlds.test.ts has them. */
const OF_MORE_PROCESSES: ReadonlySet<string> = new Set(['ioas-change-process uses locked-memory']);

/** Each part that a part is listed to use answers a call that meets both. */
const usesAreSeen = (): void => {
  const seen = new Set<string>();
  for (const { before, call, rule } of visits()) {
    if (rule === undefined) continue;
    for (const part of partsMetBy(before, call)) seen.add(`${part} uses ${partIdOf(rule)}`);
  }
  const listed = ALL_PARTS.flatMap(({ id }) => partsUsedBy(id).map((used) => `${id} uses ${used}`));
  const missing = listed.filter((use) => !seen.has(use));
  assert.equal(new Set(missing), OF_MORE_PROCESSES);
};

checkLaws('step', [
  alwaysAnOutcome,
  errnoIsTheRules,
  rulesAreListed,
  rulesAreMet,
  refusalsChangeNothing,
  worldsAreKept,
  stepIsAFunction,
  preferredChoicesFit,
  writesAreAllowed,
  ...changesAreSeen,
]);

const parts = suite('parts that calls meet');
parts('each use that is listed happens', usesAreSeen);
parts.run();
