// SPDX-License-Identifier: MIT
// Whether no program is shorter than the one that is known to show a defect: every program with fewer calls is run on the
// emulator with the defect, over the calls of the known program and those of the action sets that are about the same.

import { ACCESS } from '../../oracle/explore/action-sets/access.ts';
import { COMPAT } from '../../oracle/explore/action-sets/compat.ts';
import { LIFECYCLE } from '../../oracle/explore/action-sets/lifecycle.ts';
import { NATIVE } from '../../oracle/explore/action-sets/native.ts';
import { NOIOMMU } from '../../oracle/explore/action-sets/noiommu.ts';
import { RESERVED } from '../../oracle/explore/action-sets/reserved.ts';
import { TYPE1 } from '../../oracle/explore/action-sets/type1.ts';
import type { Action, ActionSet } from '../../oracle/explore/actions.ts';
import { actionsOfProgram, distinctActions } from '../../oracle/explore/actions-of-program.ts';
import {
  type ShortestViolation,
  shortestViolation,
} from '../../oracle/explore/shortest-violation.ts';
import type { ShownDefect } from './shown-defect.ts';

/** Programs that are run, at most: with one for each state, and with none left out. */
export type Bounds = { readonly byState: number; readonly every: number };

export type Minimum = {
  readonly shown: ShownDefect;
  readonly actionSets: readonly ActionSet[];
  readonly actions: readonly Action[];
  /** No program was left out, whatever state it leads to. */
  readonly every: boolean;
  readonly found: ShortestViolation;
};

const usesContainer = ({ program }: ShownDefect): boolean =>
  program.some((operation) => operation.op === 'open' && operation.path === '/dev/vfio/vfio');

/** Of a platform all action sets that have to do with what the program is about. */
const actionSetsFor = (shown: ShownDefect): readonly ActionSet[] => {
  const { name } = shown.setting.platform;
  if (usesContainer(shown)) return [TYPE1];
  if (name === 'vtd') return [LIFECYCLE];
  return name === 'mock' ? [COMPAT, NATIVE, ACCESS, RESERVED] : [COMPAT, NOIOMMU];
};

const actionsWith = (
  { setting, program }: ShownDefect,
  actionSets: readonly ActionSet[],
): readonly Action[] =>
  distinctActions([
    ...actionsOfProgram(setting, program),
    ...actionSets.flatMap(({ actions }) => actions),
  ]);

/** The one that adds least to the calls of the program: it has most of them. */
const nearestOf = (shown: ShownDefect, actionSets: readonly ActionSet[]): ActionSet =>
  actionSets.reduce((best, each) => {
    const added = (actionSet: ActionSet): number =>
      actionsWith(shown, [actionSet]).length - actionSet.actions.length;
    return added(each) < added(best) ? each : best;
  });

/**
 * Tries the programs of one call less than the known one has: at every one of them, or where those are too many at one
 * for each state, or where those are, at those of one action set.
 */
export const minimumOf = (shown: ShownDefect, { byState, every }: Bounds): Minimum => {
  const { defect, setting, program } = shown;
  const all = actionSetsFor(shown);
  const nearest = [nearestOf(shown, all)];
  const tries = [
    { actionSets: all, every: true, programs: every },
    { actionSets: all, every: false, programs: byState },
    ...(all.length === 1 ? [] : [{ actionSets: nearest, every: false, programs: byState }]),
  ];
  let minimum: Minimum | undefined;
  for (const { actionSets, every: isEvery, programs } of tries) {
    const actions = actionsWith(shown, actionSets);
    const question = { setting, actions, defect, calls: program.length - 1, programs };
    const found = shortestViolation({ ...question, every: isEvery });
    minimum = { shown, actionSets, actions, every: isEvery, found };
    if (found.kind !== 'too many') break;
  }
  return minimum as Minimum;
};
