// Judges one file call by call, a recording or a trace. Keeps one world and the last few calls, however long it is.

import { statSync } from 'node:fs';
import { startOfProgram } from '../../model/programs/draft.ts';
import type { World } from '../../spec/world.ts';
import { judge } from '../judge/judge.ts';
import { judgeRecorded, startOf } from '../judge/session.ts';
import type { Verdict, VerdictKind } from '../judge/verdict.ts';
import { OriginSeeker } from '../report/origins.ts';
import type { FileResult } from '../report/summary.ts';
import { ACCEPTED_CALLS_SHOWN, type Verbosity } from '../report/verbosity.ts';
import { type JudgedCall, reportOf, type ViolationReport } from '../report/violation.ts';
import { BadInput } from '../trace/bad-input.ts';
import { Fields, parseObject } from '../trace/fields.ts';
import { chunksOf, eachLine } from '../trace/lines.ts';
import { RecordedLineReader } from '../trace/recorded-line.ts';
import { parseCall, parseHeader } from '../trace/recording.ts';
import {
  TRACE_FORMAT,
  type TracedOperation,
  traceHeaderOf,
  traceLineOf,
} from '../trace/trace-file.ts';

export type JudgeOptions = {
  readonly verbosity: Verbosity;
  readonly signal: AbortSignal;
  readonly onProgress: (calls: number) => void;
};

/** A line within a chunk of the file, from `start` to before `end`. */
type Line = {
  readonly number: number;
  readonly chunk: Buffer;
  readonly start: number;
  readonly end: number;
};

const textOf = ({ chunk, start, end }: Line): string => chunk.toString('utf8', start, end);

/** Reads the lines of one format. `judge` gives nothing for a line that is no call. */
type Format = {
  readonly name: 'recording' | 'trace';
  readonly release: string;
  readonly start: World;
  readonly judge: (world: World, line: Line) => JudgedCall | undefined;
  /** Whether the line, behind a violation, is a call. */
  readonly isCall: (line: Line) => boolean;
  /** Called behind the last line. */
  readonly end: (line: number) => void;
};

const recordingFormat = (file: string, text: string): Format => {
  const header = parseHeader(file, text);
  const reader = new RecordedLineReader();
  return {
    name: 'recording',
    release: header.release,
    start: startOf(file, header),
    judge: (world, line) => {
      const recorded =
        reader.read(line.chunk, line.start, line.end, line.number) ??
        parseCall(file, line.number, textOf(line));
      const { call, observation } = recorded;
      const verdict = judgeRecorded(file, world, recorded);
      return { line: line.number, call, observation, verdict, world };
    },
    isCall: () => true,
    end: () => {},
  };
};

const traceFormat = (file: string, first: Fields): Format => {
  const { setting, arena } = traceHeaderOf(first);
  let ended = false;
  const operationIn = (fields: Fields): TracedOperation | undefined => {
    if (ended) fields.fail('there is a line behind the one that ends the trace');
    const parsed = traceLineOf(fields);
    if (parsed.kind === 'operation') return parsed.traced;
    ended = true;
    return undefined;
  };
  const fieldsOf = (line: Line): Fields =>
    new Fields(file, line.number, parseObject(file, line.number, textOf(line)));
  return {
    name: 'trace',
    release: setting.release,
    start: startOfProgram(setting, arena),
    judge: (world, line) => {
      const fields = fieldsOf(line);
      const traced = operationIn(fields);
      if (traced === undefined) return undefined;
      const { operation, step } = traced;
      if (step === undefined) {
        return fields.fail('the trace does not say what came of this operation; replay runs it');
      }
      const verdict = judge(world, step.call, step.observation);
      return { line: line.number, label: operation.label, ...step, verdict, world };
    },
    isCall: (line) => operationIn(fieldsOf(line)) !== undefined,
    end: (line) => {
      if (!ended) {
        throw new BadInput(file, line, 'the trace is cut short: its last line is missing');
      }
    },
  };
};

const formatOf = (file: string, text: string): Format => {
  const value = parseObject(file, 1, text);
  return value.format === TRACE_FORMAT
    ? traceFormat(file, new Fields(file, 1, value))
    : recordingFormat(file, text);
};

/** Different reasons that are counted by themselves. */
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

class FileJudge {
  readonly counts: Record<VerdictKind, number> = {
    conforms: 0,
    deviation: 0,
    unknown: 0,
    unspecified: 0,
    violation: 0,
  };
  readonly unknown = new Map<string, number>();
  readonly unspecified = new Map<string, number>();
  notJudged = 0;
  violation: ViolationReport | undefined;
  format: Format | undefined;
  line = 0;
  readonly #file: string;
  readonly #verbosity: Verbosity;
  readonly #last = new LastCalls();
  #world: World | undefined;
  #accepted = 0;

  constructor(file: string, verbosity: Verbosity) {
    this.#file = file;
    this.#verbosity = verbosity;
  }

  take(chunk: Buffer, start: number, end: number): void {
    this.line += 1;
    const line = { number: this.line, chunk, start, end };
    if (this.format === undefined || this.#world === undefined) {
      this.format = formatOf(this.#file, textOf(line));
      this.#world = this.format.start;
      return;
    }
    if (this.violation !== undefined) {
      if (this.format.isCall(line)) this.notJudged += 1;
      return;
    }
    const judged = this.format.judge(this.#world, line);
    if (judged !== undefined) this.#count(judged);
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
    this.#world = verdict.world;
  }

  #report(verdict: Extract<Verdict, { kind: 'violation' }>): ViolationReport {
    const place = { file: this.#file, line: this.line };
    return reportOf(verdict, place, this.#accepted, this.#last.inOrder(), this.#verbosity);
  }
}

/** The report with the lines that made what its state shows, for which the file is read once more. */
const withOrigins = async (
  file: string,
  report: ViolationReport,
  signal: AbortSignal,
): Promise<ViolationReport> => {
  const seeker = new OriginSeeker(report.state);
  let format: Format | undefined;
  let world: World | undefined;
  let number = 0;
  const see = (chunk: Buffer, start: number, end: number): void => {
    number += 1;
    const line = { number, chunk, start, end };
    if (format === undefined || world === undefined) {
      format = formatOf(file, textOf(line));
      world = format.start;
    } else if (number < (report.line ?? 0)) {
      const verdict = format.judge(world, line)?.verdict;
      if (verdict === undefined) return;
      world = verdict.world;
      seeker.see(world, `line ${number}`);
    }
  };
  for await (const chunk of chunksOf(file)) {
    eachLine(chunk, (start, end) => see(chunk, start, end));
    if (number >= (report.line ?? 0)) break;
    if (signal.aborted) return report;
  }
  return { ...report, state: seeker.told(report.state) };
};

/** The place is where reading stopped, where the problem has none of its own. */
const messageOf = ({ file, line, what, message }: BadInput, reached: number): string =>
  line > 0 || reached === 0
    ? message
    : new BadInput(file, reached, `behind this line ${what}`).message;

/** Never throws for what is wrong with the file: that is part of the result, beside what was judged before. */
export const judgeFile = async (file: string, options: JudgeOptions): Promise<FileResult> => {
  const { signal, onProgress } = options;
  const state = new FileJudge(file, options.verbosity);
  let badInput: string | undefined;
  try {
    for await (const chunk of chunksOf(file)) {
      eachLine(chunk, (start, end) => state.take(chunk, start, end));
      onProgress(state.line);
      if (signal.aborted) break;
    }
    if (!signal.aborted) {
      if (state.format === undefined) throw new BadInput(file, 0, 'the file is empty');
      state.format.end(state.line);
    }
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    badInput = messageOf(error, state.line);
  }
  const { violation } = state;
  // What was piped in cannot be read again.
  const isAgain = violation !== undefined && statSync(file, { throwIfNoEntry: false })?.isFile();
  return {
    file,
    format: state.format?.name,
    release: state.format?.release,
    counts: state.counts,
    notJudged: state.notJudged,
    unknown: state.unknown,
    unspecified: state.unspecified,
    violation: isAgain === true ? await withOrigins(file, violation, signal) : violation,
    badInput,
    interrupted: signal.aborted,
  };
};
