// SPDX-License-Identifier: MIT
// How a failing test describes a program: the seed that generates it, and one line for each call.

import type { Operation } from '../../model/programs/program.ts';
import type { CampaignReport, Counterexample, Failure } from '../../oracle/check/report.ts';
import { nameOf } from '../helpers/settings.ts';
import type { Visit } from './visits.ts';

const plain = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? `0x${value.toString(16)}` : value;

const describeOperation = (operation: Operation): string =>
  JSON.stringify(operation, plain).replaceAll('"', '');

const describeFailure = (failure: Failure): unknown => {
  switch (failure.kind) {
    case 'reply':
      return failure.verdict.rejected.map(({ reply, differences }) => ({
        rule: reply.rule.id,
        differences,
      }));
    case 'hidden':
      return failure.differences;
    default:
      return failure;
  }
};

export const describeFound = ({ program, steps, failure }: Counterexample): string => {
  const calls = program.map((operation, index) => {
    const step = steps[index]?.step.observation;
    const reply = step === undefined ? '' : ` -> ${step.result} errno ${step.errno}`;
    return `  ${describeOperation(operation)}${reply}`;
  });
  return `${calls.join('\n')}\n  ${JSON.stringify(describeFailure(failure), plain)}`;
};

/** A campaign's counterexample, and how to generate it again; empty if there is none. */
export const describeCounterexample = (report: CampaignReport): string =>
  report.counterexample === undefined
    ? ''
    : `${nameOf(report.setting)}, seed ${report.seed}\n${describeFound(report.counterexample)}`;

/** Where a law was contradicted: how to generate the program again, and its operations up to the step. */
export const describeVisit = ({ setting, origin, program, index }: Visit): string =>
  [
    `${nameOf(setting)}, ${origin}, after operation ${index + 1}:`,
    ...program.slice(0, index + 1).map((operation) => `  ${describeOperation(operation)}`),
  ].join('\n');
