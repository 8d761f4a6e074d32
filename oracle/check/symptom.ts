// SPDX-License-Identifier: MIT
// The symptom of a violation, which shrinking keeps: the rules that were broken and how, the part of hidden state
// that differs, or the kernel's complaint.

import { match } from 'ts-pattern';
import type { Rejected } from '../judge/verdict.ts';
import type { HiddenDifference } from './hidden.ts';
import type { Failure } from './report.ts';

/** The symptom's names, at least one. Two failures have the same symptom if they share a name. */
export type Symptom = ReadonlySet<string>;

/** "-1 EBUSY", or "granted": the number that a granted call returns does not matter. */
const answerOf = (result: string): string => (/^-1 /.test(result) ? result : 'granted');

/** How an answer differs: if the result differs, memory differs anyway. */
const kindOf = ({ differences }: Rejected): 'result' | 'choice' | 'memory' => {
  const kinds = new Set(differences.map((difference) => difference.in));
  return kinds.has('result') ? 'result' : kinds.has('choice') ? 'choice' : 'memory';
};

const ruleOf = (rejected: Rejected): string => `${rejected.reply.rule.id}: ${kindOf(rejected)}`;

const ofReply = (rejected: Rejected): string => {
  const result = rejected.differences.find((difference) => difference.in === 'result');
  return result === undefined
    ? ruleOf(rejected)
    : `${ruleOf(rejected)} ${answerOf(result.observed)}`;
};

/** Only the first word of the text: "nothing", "translates", "no", "it". */
const ofHidden = ({ where, expected, observed }: HiddenDifference): string => {
  const kind = /^(the domain|IOAS)/.exec(where)?.[1] ?? where;
  const [must = '', is = ''] = [expected, observed].map((text) => text.split(' ')[0] ?? '');
  return kind === 'the domain' ? `${kind}: ${is} instead of ${must}` : kind;
};

/** A line of the kernel's log without the parts that change from run to run: times, processors, processes, addresses. */
const ofComplaint = (line: string): string =>
  /\bat (\S+:\d+)/.exec(line)?.[1] ??
  line
    .replace(/^\[[^\]]*\]\s*/, '')
    .replaceAll(/\b(?:0x)?[0-9a-f]{6,}\b|\d+/g, '#')
    .trim();

export const symptomOf = (failure: Failure): Symptom =>
  match(failure)
    .with({ kind: 'reply' }, ({ verdict: { rejected, observation } }) =>
      rejected.length === 0
        ? new Set([
            `nothing is allowed: answered ${observation.errno === 0 ? 'granted' : observation.errno}`,
          ])
        : new Set(rejected.map(ofReply)),
    )
    .with({ kind: 'hidden' }, ({ differences }) => new Set(differences.map(ofHidden)))
    .with({ kind: 'complaint' }, ({ lines }) => new Set(lines.map(ofComplaint)))
    .with({ kind: 'death' }, () => new Set(['death']))
    .exhaustive();

/** Whether the failure shows something of the symptom. */
export const shows = (failure: Failure | undefined, symptom: Symptom): boolean => {
  if (failure === undefined) return false;
  for (const name of symptomOf(failure)) if (symptom.has(name)) return true;
  return false;
};

/** Whether both break the same rule with the same kind of difference; the wrong answer may differ. */
export const breakTheSame = (one: Failure, other: Failure): boolean => {
  if (one.kind !== 'reply' || other.kind !== 'reply') return shows(one, symptomOf(other));
  const rules = new Set(other.verdict.rejected.map(ruleOf));
  return one.verdict.rejected.some((rejected) => rules.has(ruleOf(rejected)));
};
