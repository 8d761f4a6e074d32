// SPDX-License-Identifier: MIT
// A trace as plain text: what is wrong, and a line for each operation with what it gave.

import { programText } from '../report/program-text.ts';
import { resultText } from '../report/violation.ts';
import type { Emission } from './emission-data.ts';

export const emissionText = ({ program, steps, says }: Emission): string => {
  const results = steps.map((step) =>
    step === undefined ? 'not run' : resultText(step.observation.result, step.observation.errno),
  );
  return [...says, '', ...programText(program, results), ''].join('\n');
};
