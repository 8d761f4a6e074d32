// SPDX-License-Identifier: MIT
// A program that ends in a violation, as data and as text: the program with the result of each operation, and the
// failure.

import { match } from 'ts-pattern';
import { startOfProgram } from '../../model/programs/builder.ts';
import type { Program } from '../../model/programs/program.ts';
import type { World } from '../../spec/state/world.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import type { Counterexample, Failure, JudgedStep } from '../check/report.ts';
import { changesOf } from '../decode/changes.ts';
import type { JudgedCall } from '../judge/verdict.ts';
import { indented } from '../text/lines.ts';
import type { Palette } from '../text/palette.ts';
import { count, grouped } from '../text/quantities.ts';
import { repeatsCalls, type Verbosity } from '../text/verbosity.ts';
import { visible } from '../text/visible.ts';
import { hiddenText } from './hidden-text.ts';
import { complaintText, deathText } from './kernel-text.ts';
import { OriginSeeker } from './origins.ts';
import { programText } from './program-text.ts';
import { reportOf, resultText, type ViolationReport } from './violation.ts';
import { violationText } from './violation-text.ts';

export type CounterexampleReport = {
  readonly setting: Setting;
  readonly program: Program;
  readonly failure:
    | { readonly kind: 'reply'; readonly violation: ViolationReport }
    | Exclude<Failure, { kind: 'reply' }>;
};

type JudgedRun = {
  readonly setting: Setting;
  readonly program: Program;
  readonly steps: readonly JudgedStep[];
};

/** Each step with the world before it. */
const judgedCalls = ({ setting, steps }: JudgedRun): readonly JudgedCall[] => {
  let world = startOfProgram(setting);
  return steps.map(({ step, verdict }) => {
    const judged = { line: undefined, ...step, verdict, world };
    world = verdict.world;
    return judged;
  });
};

const worldAfter = ({ setting, steps }: JudgedRun): World =>
  steps.at(-1)?.verdict.world ?? startOfProgram(setting);

const violationOf = (
  ran: JudgedRun,
  failure: Extract<Failure, { kind: 'reply' }>,
  verbosity: Verbosity,
): ViolationReport => {
  const accepted = ran.steps.length - 1;
  const place = { file: undefined, line: undefined };
  // The whole program is printed, so the calls before are not repeated.
  const before = repeatsCalls(verbosity) ? judgedCalls(ran).slice(0, -1) : [];
  const report = reportOf(failure.verdict, place, accepted, before, verbosity);
  const seeker = new OriginSeeker(report.state);
  ran.steps.slice(0, -1).forEach(({ verdict }, index) => {
    seeker.see(verdict.world, `operation ${index + 1}`);
  });
  return { ...report, state: seeker.reported(report.state) };
};

export const counterexampleReport = (
  counterexample: Counterexample,
  verbosity: Verbosity,
): CounterexampleReport => {
  const { setting, program, failure } = counterexample;
  return {
    setting,
    program,
    failure:
      failure.kind === 'reply'
        ? { kind: 'reply', violation: violationOf(counterexample, failure, verbosity) }
        : failure,
  };
};

/** The result of each operation, in a few words. */
export const resultsOf = (ran: JudgedRun): readonly string[] =>
  judgedCalls(ran).map(({ call, observation, verdict, world }) => {
    const result = resultText(observation.result, observation.errno);
    const written = changesOf(world, call, observation)
      .slice(0, 3)
      .map(({ name, after }) => `${name} ${after}`);
    const wrong = verdict.kind === 'violation' ? '   <- the violation' : '';
    return `${[result, ...written].join(', ')}${wrong}`;
  });

export const settingText = ({ release, platform, credentials }: Setting): string => {
  const who = credentials.privileged
    ? 'privileged'
    : `not privileged, RLIMIT_MEMLOCK of ${grouped(credentials.memlockLimit / 4096n)} pages`;
  return `release ${release}, platform ${visible(platform.name)}, ${who}`;
};

/** The program with its results, and a title. */
export const runText = (ran: JudgedRun, palette: Palette): readonly string[] => [
  `${palette.title(count(ran.program.length, 'operation'))} (${settingText(ran.setting)})`,
  ...indented(programText(ran.program, resultsOf(ran)), '  '),
];

const failureText = (
  counterexample: Counterexample,
  verbosity: Verbosity,
  palette: Palette,
): readonly string[] => {
  const { failure } = counterexample;
  return match(failure)
    .with({ kind: 'reply' }, (reply) =>
      violationText(violationOf(counterexample, reply, verbosity), verbosity, palette),
    )
    .with({ kind: 'hidden' }, ({ differences }) =>
      hiddenText(differences, worldAfter(counterexample), verbosity, palette),
    )
    .with({ kind: 'complaint' }, ({ lines }) => complaintText(lines, verbosity, palette))
    .with({ kind: 'death' }, ({ said }) => deathText(said, verbosity, palette))
    .exhaustive();
};

export const counterexampleText = (
  counterexample: Counterexample,
  verbosity: Verbosity,
  palette: Palette,
): readonly string[] => {
  const lines = [...runText(counterexample, palette), ''];
  return [...lines, ...failureText(counterexample, verbosity, palette)];
};
