// SPDX-License-Identifier: MIT
// The result of judging a file, as a row of a table; and the total of all files.

import type { Format, RecordedFailure } from '../judge/format.ts';
import type { VerdictCounts } from '../judge/verdict.ts';
import { columns, wrapped } from '../text/lines.ts';
import type { Palette } from '../text/palette.ts';
import { count, grouped, listed } from '../text/quantities.ts';
import { showsReasons, type Verbosity } from '../text/verbosity.ts';
import { visible } from '../text/visible.ts';
import type { ViolationReport } from './violation.ts';

/** Counts of the reasons why calls were not judged. */
export type Reasons = ReadonlyMap<string, number>;

export type FileResult = {
  readonly file: string;
  readonly format: Format['name'] | undefined;
  readonly release: string | undefined;
  /** Calls by verdict. */
  readonly counts: VerdictCounts;
  /** Calls after the first violation. */
  readonly notJudged: number;
  readonly unknown: Reasons;
  readonly unspecified: Reasons;
  /** What the replies showed about facts that the file does not state, as clauses. */
  readonly facts: readonly string[];
  /** Lines that are not understood: "file:line: why". The first of them; `skippedCount` has how many there are. */
  readonly skipped: readonly string[];
  readonly skippedCount: number;
  readonly violation: ViolationReport | undefined;
  /** The violation that a trace records, if no reply is one: judging replies cannot show it. */
  readonly recordedFailure: RecordedFailure | undefined;
  /** Why the file could not be read to its end, with the position. */
  readonly badInput: string | undefined;
  /** Stopped by a signal. */
  readonly interrupted: boolean;
};

export const callsIn = (counts: VerdictCounts, notJudged = 0): number =>
  Object.values(counts).reduce((sum, number) => sum + number, notJudged);

const TITLES = [
  'calls',
  'conforming',
  'deviations',
  'unspecified',
  'unknown',
  'violations',
  'not judged',
] as const;

const cells = (counts: VerdictCounts, notJudged: number): readonly number[] => [
  callsIn(counts, notJudged),
  counts.conforms,
  counts.deviation,
  counts.unspecified,
  counts.unknown,
  counts.violation,
  notJudged,
];

export const summaryHead = (palette: Palette): string =>
  palette.title(`${TITLES.map((title) => title.padStart(10)).join('  ')}  file`);

/** One row, with the widths of the header. */
export const summaryRow = (
  name: string,
  counts: VerdictCounts,
  notJudged: number,
  palette: Palette,
): string => {
  const row = cells(counts, notJudged).map((number, index) => {
    const title = TITLES[index] ?? 'calls';
    const text = grouped(number).padStart(Math.max(10, title.length));
    if (number === 0) return palette.faint(text);
    if (title === 'violations') return palette.bad(text);
    return title === 'unknown' || title === 'deviations' ? palette.doubtful(text) : text;
  });
  return `${row.join('  ')}  ${visible(name)}`;
};

const reasonsText = (kind: string, reasons: Reasons): readonly string[] =>
  columns(
    [...reasons]
      .sort(([, a], [, b]) => b - a)
      .map(([reason, times]) => [`  ${grouped(times)}`, `${kind}: ${visible(reason)}`]),
    [0],
  );

/** Why calls of a file were not judged. */
export const reasonLines = (result: FileResult, verbosity: Verbosity): readonly string[] =>
  showsReasons(verbosity)
    ? [...reasonsText('unspecified', result.unspecified), ...reasonsText('unknown', result.unknown)]
    : [];

/** What the replies showed about facts that the file does not state. */
export const factLines = ({ facts }: FileResult): readonly string[] =>
  facts.map((fact) => `  the replies show: ${fact}`);

/** Lines of a log that are not understood. */
export const skippedLines = ({ skipped, skippedCount }: FileResult): readonly string[] => {
  const more = skippedCount - skipped.length;
  return [
    ...skipped.map((line) => `  ${visible(line)}`),
    ...(more > 0 ? [`  and ${count(more, 'more line')} that are skipped`] : []),
  ];
};

/** Violations that no reply shows. */
const SHOWN_BY: Readonly<Record<RecordedFailure['kind'], string>> = {
  reply: 'of a reply, which the specification allows now',
  hidden:
    'of hidden state (what domains translate, what is pinned or charged), which replies alone do not show',
  complaint: "a complaint in the kernel's log, which replies alone do not show",
  death: "the kernel's death, which replies alone do not show",
};

/** A note for a trace whose violation its replies cannot show: the kind, and the command to run. */
export const recordedFailureLines = ({ file, recordedFailure }: FileResult): readonly string[] => {
  if (recordedFailure === undefined) return [];
  const { kind, subject } = recordedFailure;
  const onKernel =
    subject === 'kernel' || kind === 'complaint' ? ' --subject kernel --vm IMAGE' : '';
  return wrapped(
    `${visible(file)}: every reply is allowed. The violation that the trace records is ${SHOWN_BY[kind]}. ` +
      `To see it, run the program again: iommufd-spec replay${onKernel} ${visible(file)}`,
    '',
  );
};

/** The last line, on all files. */
export const conclusion = (results: readonly FileResult[], palette: Palette): string => {
  const violating = results.filter(({ violation }) => violation !== undefined).length;
  const bad = results.filter(({ badInput }) => badInput !== undefined).length;
  const notShown = results.filter(({ recordedFailure }) => recordedFailure !== undefined).length;
  const parts = [
    ...(violating === 0 ? [] : [palette.bad(`${count(violating, 'file')} with a violation`)]),
    ...(notShown === 0
      ? []
      : [palette.doubtful(`${count(notShown, 'trace')} of a violation that no reply shows`)]),
    ...(bad === 0 ? [] : [palette.bad(`${count(bad, 'file')} that cannot be read to the end`)]),
    ...(results.some(({ interrupted }) => interrupted) ? [palette.doubtful('interrupted')] : []),
  ];
  return parts.length === 0
    ? palette.good(`${count(results.length, 'file')}, no violation`)
    : `${count(results.length, 'file')}: ${listed(parts)}`;
};
