// SPDX-License-Identifier: MIT
// The results of an exploration as text: a row for each action set, the rules that were reached, and the program that
// breaks a law.

import { ALL_RULES } from '../../spec/rules.ts';
import { WORLD_LAWS } from '../explore/laws.ts';
import type { ExploreReport } from '../explore/run-explore.ts';
import { columns, indented, wrapped } from '../text/lines.ts';
import type { Palette } from '../text/palette.ts';
import { count, grouped, listed, ranges } from '../text/quantities.ts';
import { visible } from '../text/visible.ts';
import { settingText } from './counterexample.ts';
import { programText } from './program-text.ts';

const ENDS: Readonly<Record<ExploreReport['ended'], (report: ExploreReport) => string>> = {
  whole: () => 'every state there is',
  depth: ({ counts }) => `every program of ${count(counts.depth, 'call')}`,
  states: ({ counts }) => `as many states as allowed, in ${counts.depth + 1} calls`,
  broken: () => 'a law is broken',
  time: ({ counts }) => `as far as time allowed, in ${counts.depth + 1} calls`,
  interrupted: ({ counts }) => `interrupted, in ${counts.depth + 1} calls`,
};

/** The part that ended before the frontier, and why. */
export const endText = (report: ExploreReport): string => ENDS[report.ended](report);

const HEAD = [
  'actions',
  'release',
  'platform',
  'states',
  'met',
  'states/s',
  'frontier',
  'rules',
  '',
];

const partText = ({ shard, without = [] }: ExploreReport): string => {
  if (shard !== undefined) return `, part ${shard.index + 1}/${shard.of}`;
  return without.length === 0 ? '' : `, but for part ${listed(ranges(without))}`;
};

const rowOf = (report: ExploreReport): readonly string[] => [
  report.actionSet,
  report.setting.release,
  visible(report.setting.platform.name),
  grouped(report.counts.distinct),
  grouped(report.counts.generated),
  grouped(report.statesPerSecond),
  grouped(report.counts.frontier),
  `${report.rules.size}`,
  `${endText(report)}${partText(report)}`,
];

const brokenText = (report: ExploreReport, palette: Palette): readonly string[] => {
  const { broken, setting, actionSet } = report;
  if (broken === undefined) return [];
  return [
    '',
    palette.bad(`BROKEN LAW  ${visible(broken.law)}`),
    ...wrapped(visible(broken.how), '  '),
    '',
    `${palette.title(count(broken.program.length, 'operation'))}, the fewest possible with the action set ${actionSet} (${settingText(setting)})`,
    ...indented(programText(broken.program), '  '),
  ];
};

/** The rules that any of them reached, and those that none did, in the order of the reference. */
const rulesText = (reports: readonly ExploreReport[]): readonly string[] => {
  const answered = new Set(reports.flatMap(({ rules }) => [...rules]));
  const part = (title: string, wanted: boolean): readonly string[] => {
    const ids = ALL_RULES.map(({ id }) => id).filter((id) => answered.has(id) === wanted);
    return [`${count(ids.length, 'rule')} ${title}:`, ...ids.map((id) => `  ${id}`)];
  };
  return ['', ...part('answered', true), ...part('did not', false)];
};

export const exploreText = (
  reports: readonly ExploreReport[],
  isVerbose: boolean,
  palette: Palette,
): readonly string[] => {
  const broken = reports.filter((report) => report.broken !== undefined);
  const unspecified = reports.reduce((sum, report) => sum + report.unspecified, 0);
  return [
    ...columns([HEAD, ...reports.map(rowOf)], [3, 4, 5, 6, 7]),
    ...(unspecified === 0
      ? []
      : [`${count(unspecified, 'call')}  not specified: their successors were not explored`]),
    ...(isVerbose ? rulesText(reports) : []),
    ...broken.flatMap((report) => brokenText(report, palette)),
    ...(broken.length > 0
      ? []
      : ['', palette.good(`all ${WORLD_LAWS.length} laws hold in all of these states`)]),
  ];
};
