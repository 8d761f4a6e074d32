// SPDX-License-Identifier: MIT
// Judges one file call by call, a recording or a trace. Keeps one world and the last few calls, however long it is.

import { statSync } from 'node:fs';
import type { World } from '../../spec/state/world.ts';
import { shownFacts } from '../judge/facts-text.ts';
import { FormatSeeker } from '../judge/file-format.ts';
import type { Format } from '../judge/format.ts';
import { type JudgedCall, NO_VERDICTS, type Verdict, type VerdictKind } from '../judge/verdict.ts';
import type { FileResult } from '../report/summary.ts';
import { reportOf, type ViolationReport, withoutState } from '../report/violation.ts';
import { isSyzLine } from '../syz/recognise.ts';
import { ACCEPTED_CALLS_SHOWN, type Verbosity } from '../text/verbosity.ts';
import { BadInput } from '../trace/bad-input.ts';
import { type Line, textOf } from '../trace/line.ts';
import { eachLine } from '../trace/line-ends.ts';
import { chunksOf } from '../trace/lines.ts';
import type { StatedFacts } from '../trace/recording.ts';
import { withOrigins } from './file-origins.ts';

export type JudgeOptions = {
  readonly verbosity: Verbosity;
  /** Facts that a recording need not state. */
  readonly stated?: StatedFacts;
  readonly signal: AbortSignal;
  readonly onProgress: (calls: number) => void;
};

const NO_LINE_OF_LOG = 'this is no line of a log of strace, and is skipped';

/** Skipped lines that are named one by one. */
const SKIPPED_NAMED = 20;

/** The maximum number of distinct reasons that are counted. */
const REASONS_COUNTED = 1000;

const increment = (reasons: Map<string, number>, reason: string): void => {
  const known = reasons.has(reason) || reasons.size < REASONS_COUNTED;
  const key = known ? reason : 'other reasons';
  reasons.set(key, (reasons.get(key) ?? 0) + 1);
};

/** The last few calls, in a ring. */
class LastCalls {
  readonly #calls: JudgedCall[] = [];
  #next = 0;

  add(call: JudgedCall): void {
    this.#calls[this.#next] = call;
    this.#next = (this.#next + 1) % ACCEPTED_CALLS_SHOWN;
  }

  inOrder(): readonly JudgedCall[] {
    return [...this.#calls.slice(this.#next), ...this.#calls.slice(0, this.#next)];
  }
}

/** Throws BadInput for a program that says of no call what came of it. */
const requireReplies = (file: string, line: Line): void => {
  if (!isSyzLine(textOf(file, line))) return;
  const what = 'this is a syzkaller program, which does not say what came of its calls';
  throw new BadInput(file, line.number, `${what}; iommufd-spec replay ${file} runs and judges it`);
};

class FileJudge {
  readonly counts: Record<VerdictKind, number> = { ...NO_VERDICTS };
  readonly unknown = new Map<string, number>();
  readonly unspecified = new Map<string, number>();
  /** Lines that are not understood, with their numbers. */
  readonly skipped: string[] = [];
  skippedCount = 0;
  notJudged = 0;
  violation: ViolationReport | undefined;
  format: Format | undefined;
  line = 0;
  readonly #file: string;
  readonly #verbosity: Verbosity;
  readonly #seeker: FormatSeeker;
  readonly #last = new LastCalls();
  #world: World | undefined;
  #accepted = 0;

  constructor(file: string, { verbosity, stated = {} }: JudgeOptions) {
    this.#file = file;
    this.#verbosity = verbosity;
    this.#seeker = new FormatSeeker(file, stated);
  }

  /** The facts that replies showed and the file does not state. */
  get facts(): readonly string[] {
    return this.#world === undefined ? [] : shownFacts(this.#world.setting);
  }

  take(chunk: Uint8Array, start: number, end: number): void {
    this.line += 1;
    const line = { number: this.line, chunk, start, end };
    if (this.format === undefined || this.#world === undefined) {
      this.#begin(line);
      if (this.format === undefined || this.#world === undefined || this.format.hasHeader) return;
    }
    if (this.violation !== undefined) {
      if (this.format.isCall(line)) this.notJudged += 1;
      return;
    }
    const { world, judged, skipped } = this.format.take(this.#world, line);
    this.#world = world;
    if (skipped !== undefined) this.#skip(skipped);
    if (judged !== undefined) this.#count(judged);
  }

  #begin(line: Line): void {
    const format = this.#seeker.take(line);
    if (format === undefined) {
      requireReplies(this.#file, line);
      this.#skip(NO_LINE_OF_LOG);
      return;
    }
    this.format = format;
    this.#world = format.start;
  }

  #skip(why: string): void {
    this.skippedCount += 1;
    const place = new BadInput(this.#file, this.line, why);
    if (this.skipped.length < SKIPPED_NAMED) this.skipped.push(place.message);
  }

  /** Behind the last line. Throws BadInput. */
  end(): void {
    if (this.line === 0) throw new BadInput(this.#file, 0, 'the file is empty');
    if (this.format === undefined) this.#seeker.end();
    else this.format.end(this.line);
  }

  #count(judged: JudgedCall): void {
    const { verdict } = judged;
    this.counts[verdict.kind] += 1;
    if (verdict.kind === 'violation') {
      this.violation = this.#report(verdict);
      return;
    }
    if (verdict.kind === 'unknown') increment(this.unknown, verdict.why);
    if (verdict.kind === 'unspecified') increment(this.unspecified, verdict.what);
    this.#accepted += 1;
    this.#last.add(judged);
  }

  #report(verdict: Extract<Verdict, { kind: 'violation' }>): ViolationReport {
    const place = { file: this.#file, line: this.line };
    const before = this.#last.inOrder();
    const report = reportOf(verdict, place, this.#accepted, before, this.#verbosity);
    return this.format?.release === undefined ? withoutState(report) : report;
  }
}

/** The position is where reading stopped, unless the problem has its own. */
const messageOf = ({ file, line, what, message }: BadInput, reached: number): string =>
  line > 0 || reached === 0
    ? message
    : new BadInput(file, reached, `after this line ${what}`).message;

/** Never throws for an invalid file: the error is part of the result, with what was judged before it. */
export const judgeFile = async (file: string, options: JudgeOptions): Promise<FileResult> => {
  const { signal, onProgress } = options;
  const state = new FileJudge(file, options);
  let badInput: string | undefined;
  try {
    for await (const chunk of chunksOf(file, signal)) {
      eachLine(chunk, (start, end) => state.take(chunk, start, end));
      onProgress(state.line);
    }
    if (!signal.aborted) {
      state.end();
    }
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    badInput = messageOf(error, state.line);
  }
  const { violation } = state;
  // A pipe cannot be read twice.
  const isAgain =
    violation !== undefined &&
    file !== '-' &&
    // A log has no state that lines could have made.
    state.format?.release !== undefined &&
    statSync(file, { throwIfNoEntry: false })?.isFile() === true;
  return {
    file,
    format: state.format?.name,
    release: state.format?.release,
    counts: state.counts,
    notJudged: state.notJudged,
    unknown: state.unknown,
    unspecified: state.unspecified,
    facts: state.facts,
    skipped: state.skipped,
    skippedCount: state.skippedCount,
    recordedFailure: violation === undefined ? state.format?.recordedFailure() : undefined,
    violation: isAgain
      ? await withOrigins(file, violation, signal, options.stated ?? {})
      : violation,
    badInput,
    interrupted: signal.aborted,
  };
};
