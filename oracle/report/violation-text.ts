// SPDX-License-Identifier: MIT
// A violation as text: the observed and the expected answer, the call, every allowed outcome with its differences,
// the argument, the state around it, and the calls before.

import { match } from 'ts-pattern';
import { ruleIdOf } from '../../spec/rules.ts';
import { releasesThat } from '../../spec/terms/releases.ts';
import { assumedRelease } from '../text/assumed-release.ts';
import { indented, wrapped } from '../text/lines.ts';
import type { Palette } from '../text/palette.ts';
import { count, grouped } from '../text/quantities.ts';
import { rulesWithErrno, type Verbosity } from '../text/verbosity.ts';
import { visible } from '../text/visible.ts';
import { acceptedLines, callBlock, changeText } from './call-text.ts';
import type { FieldDifference } from './differences.ts';
import type { Explanation, RuleOfAnswer } from './explanation.ts';
import { saysWhat } from './rules-text.ts';
import { stateText } from './state-text.ts';
import type { AllowedOutcome, ViolationReport } from './violation.ts';

const differenceText = (difference: FieldDifference): string =>
  match(difference)
    .with(
      { kind: 'result' },
      ({ expected, observed }) => `the result: expected ${expected}, observed ${observed}`,
    )
    .with(
      { kind: 'choice' },
      ({ what, value, why }) => `the choice of ${what}: ${value} may not be chosen, because ${why}`,
    )
    .with({ kind: 'field' }, ({ name, before, expected, observed, note }) => {
      const values = `${name}: expected ${expected}, observed ${observed}`;
      if (note === 'was not written') return `${values}; it was not written`;
      if (note === 'must be left as it was') return `${values}; it must be left as it was`;
      return before === '' || before === expected
        ? values
        : `${values} (before the call ${before})`;
    })
    .exhaustive();

const releasesText = ({ rule }: AllowedOutcome): readonly string[] =>
  rule.only === undefined ? [] : [`holds for ${releasesThat(rule.only).join(', ')} only`];

const outcomeText = (outcome: AllowedOutcome, palette: Palette): readonly string[] => [
  `${palette.good(outcome.answer)}  by rule ${palette.name(outcome.rule.id)}`,
  ...wrapped(`${saysWhat(outcome.rule)}: ${outcome.rule.says}`, '    ', '            '),
  ...wrapped(`source: ${outcome.rule.source}`, '    ', '            '),
  ...indented(releasesText(outcome), '    '),
  ...outcome.differences.flatMap((difference) =>
    wrapped(differenceText(difference), '    differs in ', '      ').map((line) =>
      palette.bad(line),
    ),
  ),
];

const sameAnswerText = ({ rule, evidence }: RuleOfAnswer, palette: Palette): readonly string[] => {
  const name = palette.name(rule.id);
  if (evidence === undefined) {
    const says = `${name}, whose condition is not evaluated here: "${rule.says}"`;
    return wrapped(says, '    ', '      ');
  }
  const verdict =
    evidence.holds === undefined
      ? 'is not known to apply'
      : evidence.holds
        ? 'holds too'
        : 'does not apply';
  return wrapped(`${name} ${verdict}: ${evidence.fact}.`, '    ', '      ');
};

const letText = (facts: readonly string[]): readonly string[] =>
  facts.length === 0
    ? ['Let the state and the call be as shown.']
    : wrapped(`Let the state and the call be as shown: ${facts.join('; ')}.`, '', '  ');

/** The argument, from the facts to the contradiction. */
const explanationText = (
  { facts, follows, but, sameAnswer, likeliest }: Explanation,
  observed: string,
  verbosity: Verbosity,
  palette: Palette,
): readonly string[] => {
  const shown = sameAnswer.slice(0, rulesWithErrno(verbosity));
  const rest = sameAnswer.length - shown.length;
  const then =
    follows.length === 0
      ? ['Then nothing is allowed.']
      : wrapped(`Then ${follows.join(', or ')}.`, '', '  ');
  return [
    ...letText(facts),
    ...then,
    ...wrapped(`But ${but}: contradiction.`, '', '  '),
    ...(shown.length === 0
      ? []
      : [
          `${observed} is the answer of these rules of the call:`,
          ...shown.flatMap((rule) => sameAnswerText(rule, palette)),
          ...(rest === 0 ? [] : [`    ... and ${count(rest, 'more rule')}`]),
        ]),
    ...(likeliest === undefined
      ? []
      : wrapped(`Likeliest: ${likeliest}.`, '', '  ').map((line) => palette.doubtful(line))),
  ];
};

const section = (title: string, lines: readonly string[], palette: Palette): readonly string[] => [
  '',
  palette.title(title),
  ...indented(lines, '  '),
];

/** What is wrong with an answer whose result is right. */
const mustBe = ({ allowed }: ViolationReport): string => {
  const [difference] = allowed[0]?.differences ?? [];
  return match(difference)
    .with(
      { kind: 'field' },
      ({ name, observed, expected }) => `${name} is ${observed}, and must be ${expected}`,
    )
    .with({ kind: 'choice' }, ({ value }) => `it chose ${value}, which may not be chosen`)
    .with({ kind: 'result' }, undefined, () => 'what was written is wrong')
    .exhaustive();
};

/** "IOMMU_IOAS_UNMAP answered 0; it must answer -1 ENOENT". */
export const violationSentence = (report: ViolationReport): string => {
  const answers = [...new Set(report.allowed.map(({ answer }) => answer))];
  const wrongResult = report.allowed.every(({ differences }) =>
    differences.some(({ kind }) => kind === 'result'),
  );
  const must =
    answers.length === 0
      ? 'no answer is allowed'
      : wrongResult
        ? `it must answer ${answers.join(' or ')}`
        : mustBe(report);
  return `${report.call.name} answered ${report.observed.result}; ${must}`;
};

const headline = (report: ViolationReport, palette: Palette): string => {
  const at =
    report.file === undefined
      ? ''
      : `${visible(report.file)}${report.line === undefined ? '' : `:${report.line}`}: `;
  return `${palette.bad('VIOLATION')}  ${at}${violationSentence(report)}`;
};

/** The known changes in memory; empty for a call without memory. */
const changesText = ({ observed, call }: ViolationReport): readonly string[] => {
  const { changes, readBack } = observed;
  if (changes.length > 0) return changes.map((change) => `wrote ${changeText(change)}`);
  if (readBack) return ['no change in the memory that was read back'];
  return call.command === undefined ? [] : ['no memory was read back'];
};

const acceptedText = (report: ViolationReport, palette: Palette): readonly string[] => {
  const { accepted, before } = report;
  if (accepted === 0) return section('Before it: no call', [], palette);
  if (before.length === 0) return [];
  const title =
    before.length === accepted
      ? `Before it: ${count(accepted, 'call')}, accepted`
      : `Before it: ${grouped(accepted)} calls, accepted; the last ${before.length}:`;
  return section(
    title,
    before.flatMap((call) => acceptedLines(call, palette)),
    palette,
  );
};

const ANY_STRUCT =
  'The file has neither the struct nor the state, so that any may be there. No rule gives this answer for any of them.';

const WHY_CLOSED =
  'The file shows that the descriptor was closed, and nothing that opened it again.';

/** What rests on no struct and on no state. */
const whyText = (
  { anyRelease, allowed, explanation, observed }: ViolationReport,
  verbosity: Verbosity,
  palette: Palette,
): readonly string[] => {
  if (anyRelease !== true) return explanationText(explanation, observed.result, verbosity, palette);
  const isClosed = allowed.every(({ rule }) => ruleIdOf(rule) === 'descriptors/bad-descriptor');
  return wrapped(isClosed ? WHY_CLOSED : ANY_STRUCT, '');
};

export const violationText = (
  report: ViolationReport,
  verbosity: Verbosity,
  palette: Palette,
): readonly string[] => {
  return [
    headline(report, palette),
    ...section('The call', callBlock(report.call, report.on, verbosity, palette), palette),
    ...section('Observed', [palette.bad(report.observed.result), ...changesText(report)], palette),
    ...section(
      `Allowed by ${report.anyRelease === true ? 'any release' : report.release}`,
      [
        ...report.allowed.flatMap((outcome) => outcomeText(outcome, palette)),
        ...(report.anyRelease === true ? [] : wrapped(assumedRelease(report.release) ?? '', '')),
      ],
      palette,
    ),
    ...section('Why', whyText(report, verbosity, palette), palette),
    ...(report.anyRelease === true
      ? []
      : section('State before the call', stateText(report.state, palette), palette)),
    ...acceptedText(report, palette),
  ];
};
