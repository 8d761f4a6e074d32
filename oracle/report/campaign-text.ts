// SPDX-License-Identifier: MIT
// The results of campaigns as text: what was run, the verdicts, and the rules that were reached.

import { ALL_RULES } from '../../spec/rules.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import type { CampaignCounts } from '../check/campaign-file.ts';
import { addedVerdicts, NO_VERDICTS } from '../judge/verdict.ts';
import { columns, indented, wrapped } from '../text/lines.ts';
import type { Palette } from '../text/palette.ts';
import { grouped, listed } from '../text/quantities.ts';
import { showsUnreachedRules, type Verbosity } from '../text/verbosity.ts';
import { visible } from '../text/visible.ts';
import { settingText } from './counterexample.ts';

export type CampaignsSummary = {
  /** The subject: "the emulator". */
  readonly subject: string;
  readonly seed: number;
  readonly settings: readonly Setting[];
  readonly runs: number;
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly verdicts: CampaignCounts['verdicts'];
  /** Programs that ended in a violation. */
  readonly failing: number;
  /** Ids of the rules that were reached, and of those that were not. */
  readonly rulesReached: readonly string[];
  readonly rulesNotReached: readonly string[];
  readonly shrinks: number;
  /** Complaints of a kernel that are known deviations of its release, by their id. */
  readonly knownComplaints: ReadonlyMap<string, number>;
};

const added = (counts: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> => {
  const sum = new Map<string, number>();
  for (const [id, number] of counts.flatMap((each) => [...each])) {
    sum.set(id, (sum.get(id) ?? 0) + number);
  }
  return sum;
};

/** Several campaigns as one. `seconds` is their total time. */
export const summaryOf = (
  reports: readonly CampaignCounts[],
  seed: number,
  seconds: number,
  subject = 'the emulator',
): CampaignsSummary => {
  const reached = new Set(reports.flatMap(({ rules }) => [...rules.keys()]));
  const calls = reports.reduce((sum, report) => sum + report.calls, 0);
  return {
    subject,
    seed,
    settings: reports.map(({ setting }) => setting),
    runs: reports.reduce((sum, report) => sum + report.runs, 0),
    failing: reports.reduce((sum, report) => sum + report.failing, 0),
    calls,
    callsPerSecond: seconds > 0 ? Math.round(calls / seconds) : 0,
    verdicts: reports.map(({ verdicts }) => verdicts).reduce(addedVerdicts, NO_VERDICTS),
    rulesReached: ALL_RULES.map(({ id }) => id).filter((id) => reached.has(id)),
    rulesNotReached: ALL_RULES.map(({ id }) => id).filter((id) => !reached.has(id)),
    shrinks: reports.reduce((sum, report) => sum + report.shrinks, 0),
    knownComplaints: added(reports.map(({ knownComplaints }) => knownComplaints)),
  };
};

const verdictRows = (
  { verdicts }: CampaignsSummary,
  palette: Palette,
): readonly (readonly string[])[] => [
  ['conforming', grouped(verdicts.conforms)],
  ['known deviations', grouped(verdicts.deviation)],
  ['unspecified', grouped(verdicts.unspecified)],
  ['unknown', grouped(verdicts.unknown)],
  ['violations', verdicts.violation === 0 ? '0' : palette.bad(grouped(verdicts.violation))],
];

const unique = (words: readonly string[]): string => listed([...new Set(words)]);

/** The settings; every combination was run, unless the check ended early. */
const settingsText = (settings: readonly Setting[]): string => {
  const [first] = settings;
  if (settings.length === 1 && first !== undefined) return settingText(first);
  const releases = unique(settings.map(({ release }) => release));
  const platforms = unique(settings.map(({ platform }) => visible(platform.name)));
  const privileges = unique(
    settings.map(({ credentials }) => (credentials.privileged ? 'with' : 'without')),
  );
  return `releases ${releases}; platforms ${platforms}; ${privileges} privilege`;
};

export const campaignsText = (
  summary: CampaignsSummary,
  verbosity: Verbosity,
  palette: Palette,
): readonly string[] => {
  const { rulesReached, rulesNotReached } = summary;
  const rules = rulesReached.length + rulesNotReached.length;
  const rows = [
    ['seed', `${summary.seed}`],
    ['programs', grouped(summary.runs)],
    ['calls', `${grouped(summary.calls)}, ${grouped(summary.callsPerSecond)} a second`],
    ...verdictRows(summary, palette),
    ...(summary.failing > 1 ? [['programs that fail', palette.bad(grouped(summary.failing))]] : []),
    ['rules reached', `${rulesReached.length} of ${rules}`],
    ...[...summary.knownComplaints].map(([id, number]) => [
      'known complaint',
      `${grouped(number)} of ${visible(id)}`,
    ]),
    ...(summary.shrinks === 0 ? [] : [['shrinking steps', grouped(summary.shrinks)]]),
  ];
  return [
    palette.title(`Checked on ${visible(summary.subject)}`),
    ...wrapped(settingsText(summary.settings), '  '),
    '',
    ...indented(columns(rows), '  '),
    ...(showsUnreachedRules(verbosity) && rulesNotReached.length > 0
      ? ['', palette.title('Rules that no program reached'), ...indented(rulesNotReached, '  ')]
      : []),
  ];
};
