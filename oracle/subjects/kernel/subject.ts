// SPDX-License-Identifier: MIT
// A real kernel as a subject: sends programs to a runner and receives the results. If a kernel dies or hangs, the
// machine is started again and the campaign continues: the program in flight is known.

import type { Program } from '../../../model/programs/program.ts';
import type { Step } from '../../../model/programs/run.ts';
import { EnvironmentError } from '../../vm/environment-error.ts';
import { compileBatch } from './compile.ts';
import { Link, type Received } from './link.ts';
import type { MachineDescription } from './machine-description.ts';
import { type Played, playBatch } from './playback.ts';
import { type KernelTarget, type RunnerSettings, startRunner } from './start-runner.ts';

/** The result of one program. */
export type ProgramRun = {
  /** All operations; fewer if the program was refused or the machine died. */
  readonly steps: readonly Step[];
  /** Lines of the kernel's log, of warning and worse, that came while the program ran. */
  readonly complaints: readonly string[];
  /** Index of the operation during which the first came, with `logEveryCall`. */
  readonly complainedAt?: number;
  /** Why the subject refused the operation after the last step, for safety. */
  readonly refused?: string;
  /** The last messages of the machine, if it died or hung during the operation after the last step, or while closing. */
  readonly died?: string;
};

export type KernelSubjectOptions = RunnerSettings & {
  /** A runner that shows no progress for so long hangs, in milliseconds. */
  readonly patience?: number;
};

const PATIENCE_MS = 30_000;
const START_PATIENCE_MS = 120_000;
const PROGRAMS_IN_BATCH = 64;
/** Batches that were sent and have not come back; one waits in the machine while it runs the other. */
const BATCHES_IN_FLIGHT = 2;
/** After these the kernel's memory or its checkers cannot be trusted. */
const SPOILT = /\bBUG\b|Oops|possible .*(deadlock|recursive)|inconsistent lock state|INFO: task/;

const UNEXPLAINED_DEATHS = 2;

type Death = {
  /** Which program was running; undefined if the runner waited. */
  readonly index: number | undefined;
  /** Which of its operations; -1 before the first, their count after the last. */
  readonly operation: number;
  readonly said: string;
};

type Batch = { readonly start: number; readonly programs: readonly Program[] };

export class KernelSubject {
  private readonly target: KernelTarget;
  private readonly options: KernelSubjectOptions;
  private link: Link | undefined;
  /** A runner that has not sent anything yet. */
  private starting: Link | undefined;
  private machine: MachineDescription | undefined;
  private turn: Promise<unknown> = Promise.resolve();
  private closed = false;
  /** By the current runner. */
  private batchesDone = 0;

  constructor(target: KernelTarget, options: KernelSubjectOptions = {}) {
    this.target = target;
    this.options = options;
  }

  /** Starts the machine if it does not run, and describes it. Rejects with EnvironmentError. */
  async start(): Promise<MachineDescription> {
    return this.inTurn(async () => {
      await this.started();
      if (this.machine === undefined) throw new Error('A runner is started that said nothing.');
      return this.machine;
    });
  }

  /**
   * The result of each program, in order. `fresh` gives each of them memory that no program used, so that a page that
   * stays pinned shows in the program that pinned it and in no other.
   */
  async run(programs: readonly Program[], fresh = false): Promise<readonly ProgramRun[]> {
    return this.inTurn(() => this.runAll(programs, fresh));
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.stop();
  }

  private inTurn<Result>(job: () => Promise<Result>): Promise<Result> {
    const result = this.turn.then(job);
    this.turn = result.catch(() => undefined);
    return result;
  }

  private async started(): Promise<Link> {
    if (this.closed) throw new Error('The subject was closed.');
    if (this.link !== undefined) return this.link;
    const link = new Link(await startRunner(this.target, this.options));
    this.starting = link;
    // The subject was closed meanwhile: this is the last reference to the runner.
    if (this.closed) await this.stop();
    const hello = await link.receive(START_PATIENCE_MS);
    this.starting = undefined;
    if (hello.kind !== 'frame') {
      throw new EnvironmentError(
        `The runner did not start.\n${hello.kind === 'ended' ? hello.said : 'It hangs.'}`,
      );
    }
    this.machine = JSON.parse(hello.bytes.toString()) as MachineDescription;
    this.batchesDone = 0;
    this.link = link;
    return link;
  }

  private async stop(): Promise<void> {
    const { link, starting } = this;
    this.link = undefined;
    this.starting = undefined;
    await Promise.all([link?.end(), starting?.end()]);
  }

  private async runAll(
    programs: readonly Program[],
    fresh: boolean,
  ): Promise<readonly ProgramRun[]> {
    const ran: ProgramRun[] = [];
    const deaths = new Map<number, Death>();
    let unexplained = 0;
    while (ran.length < programs.length) {
      const death = deaths.get(ran.length);
      const victim = programs[ran.length];
      if (death !== undefined && victim !== undefined) {
        ran.push(await this.postMortem(victim, death));
        deaths.delete(ran.length - 1);
        continue;
      }
      const limit = Math.min(programs.length, ...deaths.keys());
      const next = await this.runUntil(programs, limit, ran, fresh);
      if (next === undefined) continue;
      if (next.index !== undefined) deaths.set(next.index, next);
      else unexplained += 1;
      if (unexplained > UNEXPLAINED_DEATHS) {
        throw new EnvironmentError(
          `The machine ends again and again while no program runs.\n${next.said}`,
        );
      }
    }
    return ran;
  }

  /** Appends the results of programs before the limit, or of some of them; returns the machine's death, if it died. */
  private async runUntil(
    programs: readonly Program[],
    limit: number,
    ran: ProgramRun[],
    fresh: boolean,
  ): Promise<Death | undefined> {
    const link = await this.started();
    const flying: Batch[] = [];
    let sent = ran.length;
    for (;;) {
      while (flying.length < BATCHES_IN_FLIGHT && sent < limit) {
        const end = Math.min(sent + PROGRAMS_IN_BATCH, limit);
        const batch = { start: sent, programs: programs.slice(sent, end) };
        link.send(compileBatch(batch.programs, fresh));
        flying.push(batch);
        sent = end;
      }
      const batch = flying.shift();
      if (batch === undefined) return undefined;
      const received = await link.receive(this.options.patience ?? PATIENCE_MS);
      if (received.kind !== 'frame') {
        await this.stop();
        return deathOf(received, batch, this.batchesDone);
      }
      this.batchesDone += 1;
      const played = playBatch(batch.programs, wordsOf(received.bytes));
      for (const each of played) ran.push(each);
      if (played.some(isSpoilt)) {
        await this.stop();
        return undefined;
      }
    }
  }

  /** Finds the program's steps before the fatal one: runs it again up to there. */
  private async postMortem(program: Program, { operation, said }: Death): Promise<ProgramRun> {
    const before: ProgramRun[] = [];
    const prefix = program.slice(0, operation);
    if (operation > 0 && operation < program.length) {
      await this.runUntil([prefix], 1, before, true);
    }
    return { steps: before[0]?.steps ?? [], complaints: [], died: said };
  }
}

const isSpoilt = ({ complaints }: Played): boolean => complaints.some((line) => SPOILT.test(line));

const wordsOf = (bytes: Buffer): Int32Array => {
  const copy = new Uint8Array(bytes);
  return new Int32Array(copy.buffer, 0, copy.length >> 2);
};

const deathOf = (
  received: Exclude<Received, { kind: 'frame' }>,
  batch: Batch,
  batchesDone: number,
): Death => {
  const { batches, program, operation } = received.position;
  const label = batch.programs[program]?.[operation]?.label;
  const where = label === undefined ? 'between operations' : `in operation ${operation} (${label})`;
  return {
    index: batches === batchesDone + 1 ? batch.start + program : undefined,
    operation,
    said:
      received.kind === 'hung'
        ? `The machine hung ${where}.`
        : `The machine ended ${where}.\n${received.said}`,
  };
};
