// SPDX-License-Identifier: MIT
// A campaign against a real kernel: programs are generated and judged here while the kernel runs the next ones. A
// program that ends in a violation is shrunk with the kernel in the loop, many candidates at a time.

import * as fc from 'fast-check';
import { type GenerateOptions, type ProbeOptions, programs } from '../../model/arbitrary.ts';
import { withProbes } from '../../model/probes/probes.ts';
import { startOfProgram } from '../../model/programs/builder.ts';
import { withoutDangling } from '../../model/programs/dangling.ts';
import type { Program } from '../../model/programs/program.ts';
import type { Step } from '../../model/programs/run.ts';
import {
  type Progress,
  smallerPrograms,
  startOfShrinking,
} from '../../model/shrink/smaller-programs.ts';
import type { World } from '../../spec/state/world.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { sortComplaints } from './complaints.ts';
import { judgeSteps } from './judge-program.ts';
import {
  type CampaignReport,
  type Counterexample,
  type Failure,
  type JudgedStep,
  upToFailure,
} from './report.ts';
import { isOfShard, type Position, type Shard } from './shard.ts';
import { type Symptom, shows, symptomOf } from './symptom.ts';
import { seedOfBatch, Tally } from './tally.ts';

/** The result of one program on a kernel. */
export type KernelRun = {
  readonly steps: readonly Step[];
  readonly complaints: readonly string[];
  readonly refused?: string;
  readonly died?: string;
};

/** Something that runs programs on a kernel, each in a fresh world. */
export type KernelRunner = {
  /** `fresh` runs each program in memory that no program has used. */
  readonly run: (programs: readonly Program[], fresh?: boolean) => Promise<readonly KernelRun[]>;
};

export type KernelCampaignOptions = GenerateOptions & {
  readonly setting: Setting;
  readonly subject: KernelRunner;
  readonly runs: number;
  readonly seed: number;
  readonly length: number;
  /** The shard to run; all programs if absent. */
  readonly shard?: Shard;
  readonly onProgress?: (done: { readonly runs: number; readonly calls: number }) => void;
  /** Ends the campaign after the batch that the kernel runs. */
  readonly signal?: AbortSignal;
  /** Ends it at once, without waiting for the kernel: on a slow machine that can take minutes. */
  readonly interrupted?: AbortSignal;
};

/** A transfer takes a tenth of a second, other programs a few milliseconds. */
const KERNEL_PROBES: ProbeOptions = { transfersIn: 16 };

/** Programs in one batch for the kernel: few at first, because most defects show soon. */
const FIRST_BATCH = 32;
const BATCH = 256;

const batchSize = (batch: number): number => Math.min(BATCH, FIRST_BATCH * 2 ** batch);

type Judged = {
  readonly steps: readonly JudgedStep[];
  readonly failure: Failure | undefined;
  readonly world: World;
  readonly known: readonly string[];
};

/** The results of the programs that ran last on the same kernel. */
type Recent = readonly Judged[];

/** An interrupt may come so many programs later on a busy machine. */
const LATE = 8;

const followedBy = (recent: Recent, judged: Judged): Recent => [...recent.slice(1 - LATE), judged];

const judgeRun = (start: World, ran: KernelRun, recent: Recent = []): Judged => {
  const judged = judgeSteps(start, ran.steps);
  const worlds = judged.steps.map(({ verdict }) => verdict.world);
  const earlier = recent.flatMap(({ world }) => world.engines.faults);
  const all = [start, ...worlds, judged.world] as const;
  const { known, lines } = sortComplaints(all, ran.complaints, earlier);
  if (judged.failure !== undefined) return { ...judged, known };
  if (ran.died !== undefined)
    return { ...judged, known, failure: { kind: 'death', said: ran.died } };
  return lines.length === 0
    ? { ...judged, known }
    : { ...judged, known, failure: { kind: 'complaint', lines } };
};

/** Waits for the kernel; undefined if the wait is aborted. */
type Wait = <T>(work: Promise<T>) => Promise<T | undefined>;

const whenAborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise((settle) => {
    if (signal.aborted) settle(undefined);
    else signal.addEventListener('abort', () => settle(undefined), { once: true });
  });

/** After an abort the kernel's result does not count: the signal may have ended its machine too. */
const waitUntil = (signal: AbortSignal | undefined): Wait => {
  if (signal === undefined) return (work) => work;
  const givenUp = whenAborted(signal);
  return async (work) => {
    // It rejects when the subject is closed; nobody awaits it then.
    work.catch(() => undefined);
    const done = await Promise.race([work, givenUp]);
    return signal.aborted ? undefined : done;
  };
};

/** Candidates that are tried together. Most do not fail, so their order matters more than their number. */
const TOGETHER = 48;

/** The first smaller program that shows the symptom; undefined if none does, or after an abort. */
const firstFailing = async (
  subject: KernelRunner,
  start: World,
  program: Program,
  progress: Progress,
  symptom: Symptom,
  wait: Wait,
): Promise<
  { readonly program: Program; readonly progress: Progress; readonly judged: Judged } | undefined
> => {
  const candidates = smallerPrograms(program, progress);
  for (;;) {
    const batch = [];
    for (let index = 0; index < TOGETHER; index += 1) {
      const next = candidates.next();
      if (next.done === true) break;
      batch.push(next.value);
    }
    if (batch.length === 0) return undefined;
    const ran = await wait(
      subject.run(
        batch.map((candidate) => candidate.program),
        true,
      ),
    );
    if (ran === undefined) return undefined;
    let recent: Recent = [];
    for (const [index, candidate] of batch.entries()) {
      const run = ran[index];
      if (run === undefined) continue;
      const judged = judgeRun(start, run, recent);
      recent = followedBy(recent, judged);
      if (shows(judged.failure, symptom)) return { ...candidate, judged };
    }
  }
};

/** The shortest program that shows the symptom of the first run, or the shortest so far after an abort. */
const shrunk = async (
  subject: KernelRunner,
  start: World,
  program: Program,
  first: Judged,
  wait: Wait,
): Promise<{ readonly counterexample: Counterexample; readonly shrinks: number }> => {
  let best: Program = upToFailure(program, first);
  let judged = first;
  const symptom: Symptom = first.failure === undefined ? new Set() : symptomOf(first.failure);
  let progress = startOfShrinking(best.length);
  for (let shrinks = 0; ; shrinks += 1) {
    const smaller = await firstFailing(subject, start, best, progress, symptom, wait);
    if (smaller === undefined || judged.failure === undefined) {
      const { steps, failure } = judged;
      if (failure === undefined) throw new Error('A program that failed no longer fails.');
      const shown = withoutDangling(best);
      return {
        counterexample: { setting: start.setting, program: shown, steps, failure },
        shrinks,
      };
    }
    best = smaller.program;
    ({ judged, progress } = smaller);
  }
};

type Failing = { readonly program: Program; readonly judged: Judged };

/** So many of the failing programs are run again. */
const TRIED_AGAIN = 16;

/**
 * Programs that are easier to shrink come first: those that do not kill the kernel, because each death costs a start,
 * then shorter ones.
 */
const byEase = (one: Failing, other: Failing): number => {
  const deaths = ({ judged }: Failing): number => (judged.failure?.kind === 'death' ? 1 : 0);
  return deaths(one) - deaths(other) || one.judged.steps.length - other.judged.steps.length;
};

/**
 * State that an earlier program left in the kernel can make a correct later one fail. So they are run again, each in
 * memory of its own: returns the easiest that fails again, or the first if none does.
 */
const culprit = async (
  subject: KernelRunner,
  start: World,
  failing: readonly [Failing, ...Failing[]],
  wait: Wait,
): Promise<Failing> => {
  const tried = [failing[0], ...failing.slice(1).sort(byEase)].slice(0, TRIED_AGAIN).sort(byEase);
  const programs = tried.map(({ program, judged }) => upToFailure(program, judged));
  const ran = await wait(subject.run(programs, true));
  let recent: Recent = [];
  for (const [index, run] of (ran ?? []).entries()) {
    const judged = judgeRun(start, run, recent);
    recent = followedBy(recent, judged);
    if (judged.failure !== undefined) return { program: programs[index] ?? [], judged };
  }
  return failing[0];
};

/**
 * The shortest program that still shows this one's symptom on the kernel; undefined if this one has no violation. If
 * `interrupted` ends it early, the shortest so far.
 */
export const shrinkOnKernel = async (
  setting: Setting,
  subject: KernelRunner,
  program: Program,
  interrupted?: AbortSignal,
): Promise<Counterexample | undefined> => {
  const start = startOfProgram(setting);
  const wait = waitUntil(interrupted);
  const [ran] = (await wait(subject.run([program], true))) ?? [];
  if (ran === undefined) return undefined;
  const judged = judgeRun(start, ran);
  if (judged.failure === undefined) return undefined;
  return (await shrunk(subject, start, program, judged, wait)).counterexample;
};

/** Runs and judges a program on the kernel, without shrinking. `refused`: why the subject did not run it to its end. */
export const judgeOnKernel = async (
  setting: Setting,
  subject: KernelRunner,
  program: Program,
): Promise<{
  readonly steps: readonly JudgedStep[];
  readonly failure: Failure | undefined;
  readonly refused: string | undefined;
}> => {
  const [ran] = await subject.run([program], true);
  if (ran === undefined) throw new Error('The kernel gave no answer to a program.');
  const { steps, failure } = judgeRun(startOfProgram(setting), ran);
  return { steps, failure, refused: ran.refused };
};

/** The batches of the campaign that the shard runs, and how many programs each has. */
function* batchesOf({
  runs,
  shard,
}: KernelCampaignOptions): Generator<{ readonly batch: number; readonly numRuns: number }> {
  let before = 0;
  for (let batch = 0; before < runs; batch += 1) {
    const numRuns = Math.min(batchSize(batch), runs - before);
    if (isOfShard(batch, shard)) yield { batch, numRuns };
    before += numRuns;
  }
}

/** Runs the programs of the seed on the kernel until one ends in a violation, and shrinks that one. */
export const runKernelCampaign = async (
  options: KernelCampaignOptions,
): Promise<CampaignReport> => {
  const { setting, subject, seed, length, onProgress, signal, interrupted } = options;
  const start = startOfProgram(setting);
  const arbitrary = programs(setting, length, { probes: KERNEL_PROBES, ...options });
  const tally = new Tally(setting, seed);
  const batches = batchesOf(options);
  const generate = () => {
    const next = batches.next();
    if (next.done === true) return undefined;
    const { batch, numRuns } = next.value;
    const generated = fc
      .sample(arbitrary, { numRuns, seed: seedOfBatch(seed, batch) })
      .map((program) => withProbes(start, program));
    return { batch, generated };
  };

  const launch = (generated: NonNullable<ReturnType<typeof generate>>) => ({
    ...generated,
    running: subject.run(generated.generated),
  });
  const first = generate();
  let pending = first === undefined ? undefined : launch(first);
  let recent: Recent = [];
  const wait = waitUntil(interrupted);
  while (pending !== undefined) {
    const { batch, generated, running } = pending;
    // The kernel runs one batch while the next is generated.
    const following = signal?.aborted === true ? undefined : generate();
    const ran = await wait(running);
    if (ran === undefined) break;
    pending = following === undefined ? undefined : launch(following);
    const failing: (Failing & { readonly at: Position })[] = [];
    for (const [index, program] of generated.entries()) {
      const judged = judgeRun(start, ran[index] as KernelRun, recent);
      recent = followedBy(recent, judged);
      if (failing.length === 0) {
        tally.add(judged);
        for (const id of judged.known) {
          tally.knownComplaints.set(id, (tally.knownComplaints.get(id) ?? 0) + 1);
        }
      }
      if (judged.failure !== undefined) failing.push({ program, judged, at: { batch, index } });
    }
    const [one, ...others] = failing;
    if (one !== undefined) {
      if (pending !== undefined) await wait(pending.running);
      const found = await culprit(subject, start, [one, ...others], wait);
      const short = await shrunk(subject, start, found.program, found.judged, wait);
      return tally.report({ ...short, at: one.at }, interrupted?.aborted === true);
    }
    onProgress?.({ runs: tally.runs, calls: tally.calls });
  }
  return tally.report(undefined, signal?.aborted === true || interrupted?.aborted === true);
};
