// SPDX-License-Identifier: MIT
// The part of a trace to emit: its operations up to the last that was run, and the failure as text. Hidden state is
// followed by the probe that shows it, if there is one.

import { match } from 'ts-pattern';
import { isDefectName } from '../../model/emulator/defects.ts';
import { withProbes } from '../../model/probes/probes.ts';
import { startOfProgram } from '../../model/programs/builder.ts';
import { judgeProgram, judgeSteps } from '../check/judge-program.ts';
import type { Counterexample, JudgedStep } from '../check/report.ts';
import { counterexampleText, settingText } from '../report/counterexample.ts';
import { indented } from '../text/lines.ts';
import { PLAIN } from '../text/palette.ts';
import { count } from '../text/quantities.ts';
import { visible, visibleLines } from '../text/visible.ts';
import type { TracedStep } from '../trace/step-json.ts';
import { programOf, type Trace } from '../trace/trace-file.ts';
import type { Emission } from './emission-data.ts';

const STATE = /^State before the call/;

/** The violation without the state around it, which the calls themselves make. */
const violationLines = (counterexample: Counterexample): readonly string[] => {
  const lines = counterexampleText(counterexample, 'brief', PLAIN);
  const start = lines.findIndex((line) => line.startsWith('VIOLATION'));
  const end = lines.findIndex((line) => STATE.test(line));
  const shown = lines.slice(Math.max(start, 0), end < 0 ? undefined : end);
  return shown.map((line) => line.replace(/^VIOLATION +/, ''));
};

const titleOf = ({ header }: Trace, operations: number): string =>
  `${count(operations, 'operation')}, ${settingText(header.setting)}, as ${visible(header.subject ?? 'a kernel')} answered them.`;

const asStep = ({ step }: JudgedStep): TracedStep => step;

/** The program with the first probe of hidden state that the emulator with the trace's defects answers wrongly. */
const withShowingProbe = (trace: Trace): Emission | undefined => {
  const { setting, arena, defects } = trace.header;
  const start = startOfProgram(setting);
  const probed = withProbes(start, programOf(trace));
  const { steps, failure } = judgeProgram(
    setting,
    probed,
    new Set(defects.filter(isDefectName)),
    start,
  );
  if (failure?.kind !== 'reply') return undefined;
  const program = probed.slice(0, steps.length);
  return {
    setting,
    base: arena,
    program,
    steps: steps.map(asStep),
    says: [
      ...violationLines({ setting, program, steps, failure }),
      titleOf(trace, program.length),
      'The last call probes hidden state that no earlier reply shows.',
    ],
  };
};

const failureLines = (
  trace: Trace,
  program: Emission['program'],
  steps: readonly TracedStep[],
): readonly string[] => {
  const { failure, header } = trace;
  const { setting } = header;
  if (failure === undefined) return ['No violation is known.', ''];
  const labelled = steps.map((step, index) => ({ ...step, label: program[index]?.label ?? '' }));
  const judged = judgeSteps(startOfProgram(setting), labelled);
  return match(failure)
    .with({ kind: 'reply' }, () =>
      judged.failure?.kind === 'reply'
        ? violationLines({ setting, program, steps: judged.steps, failure: judged.failure })
        : ['The answer to the last call is not allowed.', ''],
    )
    .with({ kind: 'hidden' }, () => [
      'Every reply is allowed, but the hidden state differs from the specification. No call shows that here.',
      '',
    ])
    .with({ kind: 'complaint' }, ({ lines }) => [
      'Every reply is allowed, but the kernel logs a complaint:',
      ...lines.map(visible),
      '',
    ])
    .with({ kind: 'death' }, ({ said }) => [
      'The kernel dies before it answers:',
      ...indented(visibleLines(said.trimEnd()), '  '),
      '',
    ])
    .exhaustive();
};

/** The program and its observations, up to the last operation that was run, without text. */
export const emittedAsIs = ({ header, operations, failure }: Trace): Emission => {
  const ran = operations.findLastIndex(({ step }) => step !== undefined) + 1;
  // The call that killed the kernel follows the last that was answered.
  const end = failure?.kind === 'death' || ran === 0 ? operations.length : ran;
  const kept = operations.slice(0, end);
  return {
    setting: header.setting,
    base: header.arena,
    program: kept.map(({ operation }) => operation),
    steps: kept.map(({ step }) => step),
    says: [],
  };
};

export const emissionOf = (trace: Trace): Emission => {
  if (trace.failure?.kind === 'hidden') {
    const probed = withShowingProbe(trace);
    if (probed !== undefined) return probed;
  }
  const emission = emittedAsIs(trace);
  const { program, steps } = emission;
  const known = steps.filter((step) => step !== undefined);
  return {
    ...emission,
    says: [...failureLines(trace, program, known), titleOf(trace, program.length)],
  };
};
