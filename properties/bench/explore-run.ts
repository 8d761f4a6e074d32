// SPDX-License-Identifier: MIT
// Explores one model in this process and prints what it took, as JSON: seconds of the processor, counts, the most memory
// that the process had, and what it still holds at the end, in bytes. Node.js must have --expose-gc.

import { Exploration } from '../../model/explorer/explore.ts';
import type { Law, Model } from '../../model/explorer/model.ts';
import { ACTION_SETS } from '../../oracle/explore/action-sets/all.ts';
import { runExplore } from '../../oracle/explore/run-explore.ts';
import { settingOf } from '../helpers/settings.ts';
import { consistency, twoPhaseCommit } from '../helpers/two-phase-commit.ts';
import { areasBegin, pageTable } from './page-table-model.ts';

const KIB = 1024;

type Ran = {
  readonly counts: { readonly distinct: number; readonly generated: number };
  /** Kept, so that what it holds can be measured. */
  readonly holds: unknown;
};

const ran = <State, Action>(model: Model<State, Action>, law: Law<State>): Ran => {
  const exploration = new Exploration(model, { laws: [law] });
  const { counts, broken, ended } = exploration.run();
  if (broken !== undefined || ended !== 'whole')
    throw new Error(`The exploration ended: ${ended}.`);
  return { counts, holds: exploration };
};

const ranActionSet = async (name: string, depth: number): Promise<Ran> => {
  const actionSet = ACTION_SETS.find((candidate) => candidate.name === name);
  if (actionSet === undefined) throw new Error(`There is no model called ${name}.`);
  const explored = await runExplore({
    actionSet,
    setting: settingOf(actionSet.platform),
    depth,
    states: Number.POSITIVE_INFINITY,
    time: Number.POSITIVE_INFINITY,
    signal: new AbortController().signal,
  });
  const { broken, counts } = explored.report;
  if (broken !== undefined) throw new Error(`A law is broken: ${broken.law}.`);
  return { counts, holds: explored };
};

const heldNow = (): number => {
  if (global.gc === undefined) throw new Error('Node.js was started without --expose-gc.');
  global.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

const [name = '', size] = process.argv.slice(2);
const bound = Number(size);
const before = heldNow();
const start = process.cpuUsage();
const done =
  name === 'two-phase-commit'
    ? ran(twoPhaseCommit(bound), consistency(bound))
    : name === 'page-table'
      ? ran(pageTable(bound), areasBegin(bound))
      : await ranActionSet(name, bound);
const { user, system } = process.cpuUsage(start);
const held = heldNow() - before;
const { distinct, generated } = done.counts;
const seconds = (user + system) / 1e6;
const peak = process.resourceUsage().maxRSS * KIB;
process.stdout.write(`${JSON.stringify({ seconds, distinct, generated, peak, held })}\n`);
