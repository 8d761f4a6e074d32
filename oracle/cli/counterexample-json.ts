// SPDX-License-Identifier: MIT
// A program that ends in a violation, for JSON: its operations are as in a trace.

import type { Program } from '../../model/programs/program.ts';
import type { Counterexample } from '../check/report.ts';
import { counterexampleReport } from '../report/counterexample.ts';
import type { Verbosity } from '../text/verbosity.ts';
import { operationJson } from '../trace/operation-json.ts';

export const programJson = (program: Program): readonly unknown[] => program.map(operationJson);

export const counterexampleJson = (counterexample: Counterexample, verbosity: Verbosity) => {
  const { program, ...found } = counterexampleReport(counterexample, verbosity);
  return { ...found, program: programJson(program) };
};
