// SPDX-License-Identifier: MIT
// Why an observation contradicts the specification, as an argument: the facts, what follows, what was observed, and
// the rules that give the observed answer.

import { errnoName } from '../../spec/abi/errno.ts';
import { ALL_RULES, type PartId, partIdOf } from '../../spec/rules.ts';
import type { Observation } from '../../spec/terms/call.ts';
import type { Rule } from '../../spec/terms/rule.ts';
import type { FieldDifference } from './differences.ts';
import type { Evidence } from './evidence/evidence.ts';

/** A rule with the observed answer. */
export type RuleOfAnswer = { readonly rule: Rule; readonly evidence: Evidence | undefined };

export type Explanation = {
  /** The facts of the argument; clauses. */
  readonly facts: readonly string[];
  /** What follows; one sentence for each allowed outcome. */
  readonly follows: readonly string[];
  /** What was observed instead; one sentence. */
  readonly but: string;
  /** Rules of the call and of the parts it uses that give the observed answer. */
  readonly sameAnswer: readonly RuleOfAnswer[];
  /** The likeliest cause; absent if there is none. */
  readonly likeliest: string | undefined;
};

type Allowed = {
  readonly rule: Rule;
  readonly answer: string;
  readonly differences: readonly FieldDifference[];
  readonly evidence: Evidence | undefined;
};

const answersAlike = (rule: Rule, errno: number): boolean =>
  errno === 0 ? rule.errno === undefined : rule.errno === errnoName(errno);

/** In the order in which the call checks them. */
const rulesMet = (met: readonly PartId[], allowed: readonly Allowed[]): readonly Rule[] => {
  const parts: readonly PartId[] = [...met, ...allowed.map(({ rule }) => partIdOf(rule))];
  return ALL_RULES.filter((rule) => parts.includes(partIdOf(rule))).sort(
    (a, b) => parts.indexOf(partIdOf(a)) - parts.indexOf(partIdOf(b)) || a.position - b.position,
  );
};

const followsFrom = ({ rule, answer }: Allowed): string =>
  rule.errno === undefined
    ? `rule ${rule.id} grants the call, and it answers ${answer}`
    : `rule ${rule.id} refuses the call, and it answers ${answer}`;

const sawInstead = (observation: Observation, allowed: readonly Allowed[]): string => {
  const { result, errno } = observation;
  const seen = errno === 0 ? `${result}` : `-1 ${errnoName(errno)}`;
  const wrongResult = allowed.every(({ differences }) =>
    differences.some(({ kind }) => kind === 'result'),
  );
  if (allowed.length === 0) return `it answered ${seen}, and no reply at all is allowed`;
  if (wrongResult) return `it answered ${seen}`;
  const names = allowed.flatMap(({ differences }) =>
    differences.flatMap((difference) =>
      difference.kind === 'field'
        ? [difference.name]
        : difference.kind === 'choice'
          ? [difference.what]
          : [],
    ),
  );
  return `it answered ${seen} with something else in ${[...new Set(names)].join(', ')}`;
};

/** The subject refused with the wrong errno, or refused a call that must be granted. */
const refusalInstead = (
  allowed: Allowed,
  sameAnswer: readonly RuleOfAnswer[],
  errno: number,
): string | undefined => {
  const { rule, evidence } = allowed;
  const holding = sameAnswer.find(({ evidence }) => evidence?.holds === true);
  if (holding !== undefined && rule.errno !== undefined) {
    const facts = [evidence?.fact, holding.evidence?.fact].filter((fact) => fact !== undefined);
    return (
      `the check of ${rule.id} is missing, or comes after that of ${holding.rule.id}: both conditions hold ` +
      `(${[...new Set(facts)].join('; ')}), and ${rule.id} is checked first`
    );
  }
  if (rule.errno !== undefined) {
    return `the check of ${rule.id} applied, and gave ${errnoName(errno)} instead of ${rule.errno}`;
  }
  const open = sameAnswer.filter(({ evidence }) => evidence?.holds !== false);
  const [only] = open.length === 1 ? open : sameAnswer.length === 1 ? sameAnswer : [];
  if (only === undefined) return undefined;
  return only.evidence?.holds === false
    ? `the check of ${only.rule.id} refuses what it must let pass`
    : `it answered as rule ${only.rule.id} would`;
};

const grantInstead = ({ rule, evidence }: Allowed): string => {
  const although = evidence === undefined ? '' : `, although ${evidence.fact}`;
  return `the check of ${rule.id} is missing, or did not apply${although}`;
};

const choiceInstead = (allowed: Allowed): string | undefined => {
  const choice = allowed.differences.find((difference) => difference.kind === 'choice');
  return choice === undefined
    ? undefined
    : `the search for ${choice.what} misses the conflict: ${choice.value} is not a choice, because ${choice.why}`;
};

const fieldsInstead = (
  allowed: Allowed,
  errno: number,
  hint: string | undefined,
): string | undefined => {
  const fields = allowed.differences.filter((difference) => difference.kind === 'field');
  if (fields.length === 0) return choiceInstead(allowed);
  if (hint !== undefined) return hint;
  const names = fields.map(({ name }) => name).join(', ');
  if (fields.every(({ note }) => note === 'was not written')) {
    return errno === 0
      ? `the call did its work but did not write ${names} back`
      : `the call failed as it should but did not write ${names} back`;
  }
  if (fields.every(({ note }) => note === 'must be left as it was')) {
    return `the call wrote ${names}, which it must not change with this answer`;
  }
  return `the call wrote another value to ${names}`;
};

const likeliestOf = (
  observation: Observation,
  allowed: readonly Allowed[],
  sameAnswer: readonly RuleOfAnswer[],
  hint: string | undefined,
): string | undefined => {
  const [first] = allowed;
  if (first === undefined) return undefined;
  const wrongResult = first.differences.some(({ kind }) => kind === 'result');
  if (!wrongResult) return fieldsInstead(first, observation.errno, hint);
  if (observation.errno !== 0) {
    if (sameAnswer.length > 0 || first.rule.errno !== undefined) {
      return refusalInstead(first, sameAnswer, observation.errno);
    }
    return (
      hint ?? `no rule of this call, nor of what it uses, gives ${errnoName(observation.errno)}`
    );
  }
  return first.rule.errno === undefined ? undefined : grantInstead(first);
};

/**
 * `met` are the parts that the call uses; `evidence` decides a rule for it; `hint` says for what a wrong value would
 * be right.
 */
export const explain = (
  met: readonly PartId[],
  observation: Observation,
  allowed: readonly Allowed[],
  evidence: (rule: Rule) => Evidence | undefined,
  hint: string | undefined,
): Explanation => {
  const own = new Set(allowed.map(({ rule }) => rule.id));
  const wrongResult = allowed.every(({ differences }) =>
    differences.some(({ kind }) => kind === 'result'),
  );
  const sameAnswer =
    wrongResult && observation.errno !== 0
      ? rulesMet(met, allowed)
          .filter((rule) => answersAlike(rule, observation.errno) && !own.has(rule.id))
          .map((rule) => ({ rule, evidence: evidence(rule) }))
      : [];
  return {
    facts: allowed.flatMap(({ evidence: of }) => (of === undefined ? [] : [of.fact])),
    follows: allowed.map(followsFrom),
    but: sawInstead(observation, allowed),
    sameAnswer,
    likeliest: likeliestOf(observation, allowed, sameAnswer, hint),
  };
};
