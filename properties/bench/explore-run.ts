// Explores one model in this process and prints what it took, as JSON: seconds by the clock, counts, and the most memory
// that the process had beyond what it had before, in bytes.

import { explore } from '../../model/explorer/explore.ts';
import type { Law, Model } from '../../model/explorer/model.ts';
import { ALPHABETS } from '../../oracle/explore/alphabets/all.ts';
import { runExplore } from '../../oracle/explore/run-explore.ts';
import { settingOf } from '../settings.ts';
import { consistency, twoPhaseCommit } from '../two-phase-commit.ts';
import { areasBegin, pageTable } from './page-table-model.ts';

const KIB = 1024;

type Ran = {
  readonly distinct: number;
  readonly generated: number;
};

const ran = <State, Action>(model: Model<State, Action>, law: Law<State>): Ran => {
  const { counts, broken, ended } = explore(model, { laws: [law] });
  if (broken !== undefined || ended !== 'whole')
    throw new Error(`The exploration ended: ${ended}.`);
  return counts;
};

const ranAlphabet = async (name: string, depth: number): Promise<Ran> => {
  const alphabet = ALPHABETS.find((candidate) => candidate.name === name);
  if (alphabet === undefined) throw new Error(`There is no model called ${name}.`);
  const { report } = await runExplore({
    alphabet,
    setting: settingOf(alphabet.platform),
    depth,
    states: Number.POSITIVE_INFINITY,
    time: Number.POSITIVE_INFINITY,
    signal: new AbortController().signal,
  });
  if (report.broken !== undefined) throw new Error(`A law is broken: ${report.broken.law}.`);
  return report.counts;
};

const [name = '', size] = process.argv.slice(2);
const bound = Number(size);
const before = process.memoryUsage.rss();
const start = performance.now();
const counts =
  name === 'two-phase-commit'
    ? ran(twoPhaseCommit(bound), consistency(bound))
    : name === 'page-table'
      ? ran(pageTable(bound), areasBegin(bound))
      : await ranAlphabet(name, bound);
const seconds = (performance.now() - start) / 1000;
const { distinct, generated } = counts;
const peak = process.resourceUsage().maxRSS * KIB;
process.stdout.write(
  `${JSON.stringify({ seconds, distinct, generated, peak, grown: peak - before })}\n`,
);
