// SPDX-License-Identifier: MIT
// Explanations as JSON; docs/json-output.md has the fields.

import { hex } from '../text/quantities.ts';
import type { Clue } from './clue.ts';
import type { Explained, Explanation } from './explain.ts';
import { filledIn } from './filled-in.ts';
import type { RankedCause, Refusal } from './rank.ts';

const fieldsJson = ({ fields }: Clue): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'bigint' ? hex(value) : `${value}`,
    ]),
  );

const refusalJson = ({ path, call, rule }: Refusal): unknown => ({
  path,
  call,
  rule: rule.id,
  errno: rule.errno,
  condition: rule.says,
});

const causeJson = (
  { id, cause, why, against, refusals, elsewhere }: RankedCause,
  { fields }: Clue,
): unknown => ({
  cause: id,
  title: cause.title,
  why,
  against,
  rules: refusals.map(refusalJson),
  elsewhere: elsewhere.map(refusalJson),
  checks: cause.checks.map((text) => filledIn(text, fields)),
  remedies: cause.remedies.map((text) => filledIn(text, fields)),
});

const explanationJson = ({ clue, lines, ranking }: Explanation): unknown => ({
  lines,
  text: clue.text,
  ...(clue.program === undefined ? {} : { program: clue.program }),
  calls: clue.calls,
  ...(clue.errno === undefined ? {} : { errno: clue.errno }),
  fields: fieldsJson(clue),
  hints: [...clue.hints],
  causes: ranking.causes.map((one) => causeJson(one, clue)),
  rare: [...new Set(ranking.rare.map(({ rule }) => rule.id))],
  excluded: [...new Set(ranking.excluded.map(({ rule }) => rule.id))],
});

export const explainedJson = (
  { explanations, partly, count }: Explained,
  note: string,
): unknown => ({
  explanations: explanations.map(explanationJson),
  assumed: note,
  lines: count,
  notUnderstood: partly.map(({ line }) => line),
});
