// SPDX-License-Identifier: MIT
// The kinds of files that can be judged, recordings, traces and logs of strace, read line by line.

import { startOfProgram } from '../../model/programs/builder.ts';
import { isStraceLine } from '../strace/recognise.ts';
import { BadInput } from '../trace/bad-input.ts';
import { parseObject } from '../trace/json-object.ts';
import { type Line, textOf } from '../trace/line.ts';
import { parseHeader, type StatedFacts } from '../trace/recording.ts';
import { RecordingReader } from '../trace/recording-reader.ts';
import {
  TRACE_FORMAT,
  type TracedOperation,
  type TraceFailure,
  TraceLines,
} from '../trace/trace-file.ts';
import type { Format } from './format.ts';
import { judge } from './judge.ts';
import { judgeRecorded, startOf, worldAfterEvent } from './session.ts';
import { straceFormat, textOfLog } from './strace-format.ts';
import { memoryProblem } from './traced-memory.ts';

const recordingFormat = (file: string, text: string, stated: StatedFacts): Format => {
  const header = parseHeader(file, text);
  const reader = new RecordingReader(file, header);
  return {
    name: 'recording',
    hasHeader: true,
    release: header.release,
    start: startOf(header, stated),
    take: (world, line) => {
      const item = reader.take(line);
      if (item.kind === 'end') return { world };
      if (item.kind === 'event')
        return { world: worldAfterEvent(file, line.number, world, item.event) };
      const { call, observation } = item.recorded;
      const verdict = judgeRecorded(file, world, item.recorded);
      return {
        world: verdict.world,
        judged: { line: line.number, call, observation, verdict, world },
      };
    },
    isCall: (line) => reader.take(line).kind === 'call',
    end: (line) => reader.end(line),
    recordedFailure: () => undefined,
  };
};

const traceFormat = (file: string, first: string): Format => {
  const lines = new TraceLines(file, first);
  const { setting, arena, subject } = lines.header;
  let failure: TraceFailure | undefined;
  const operationIn = (line: Line): TracedOperation | undefined => {
    const parsed = lines.take(line.number, textOf(file, line));
    if (parsed.kind === 'operation') return parsed.traced;
    ({ failure } = parsed);
    return undefined;
  };
  return {
    name: 'trace',
    hasHeader: true,
    release: setting.release,
    start: startOfProgram(setting, arena),
    take: (world, line) => {
      const traced = operationIn(line);
      if (traced === undefined) return { world };
      const { operation, step } = traced;
      if (step === undefined) {
        const what = 'the trace has no result of this operation; replay runs it';
        throw new BadInput(file, line.number, what);
      }
      const { made } = lines;
      const problem = made && memoryProblem(world, made, step.call);
      if (problem !== undefined) throw new BadInput(file, line.number, problem);
      const verdict = judge(world, step.call, step.observation);
      const judged = { line: line.number, label: operation.label, ...step, verdict, world };
      return { world: verdict.world, judged };
    },
    isCall: (line) => operationIn(line) !== undefined,
    end: (line) => lines.end(line),
    recordedFailure: () => (failure === undefined ? undefined : { kind: failure.kind, subject }),
  };
};

/** Other lines that may come before the first by which a log of strace is recognised. */
const LINES_BEFORE_LOG = 100;

/** Lines of a file whose format is not known yet. */
export class FormatSeeker {
  readonly #file: string;
  readonly #stated: StatedFacts;
  #first: string | undefined;
  #count = 0;

  /** `stated` has facts that a recording may not state; a trace states all. */
  constructor(file: string, stated: StatedFacts = {}) {
    this.#file = file;
    this.#stated = stated;
  }

  /** The format by the line, or undefined if the next line may show it. Throws BadInput. */
  take(line: Line): Format | undefined {
    if (isStraceLine(textOfLog(line))) return straceFormat();
    const text = this.#first === undefined ? textOf(this.#file, line) : textOfLog(line);
    this.#first ??= text;
    this.#count += 1;
    if (!mayPrecedeLog(this.#first) || !mayPrecedeLog(text) || this.#count > LINES_BEFORE_LOG) {
      return this.#byHeader(this.#first);
    }
    return undefined;
  }

  /** Throws BadInput where no line showed a format. */
  end(): void {
    if (this.#first !== undefined) this.#byHeader(this.#first);
  }

  #byHeader(text: string): Format {
    const value = parseObject(this.#file, 1, text);
    return value.format === TRACE_FORMAT
      ? traceFormat(this.#file, text)
      : recordingFormat(this.#file, text, this.#stated);
  }
}

/** The other formats are JSON, and have no line that is none. */
const mayPrecedeLog = (text: string): boolean => !/^\s*[{[]|"format"/.test(text);

/** The format of a file by its first line. Throws BadInput. */
export const formatOf = (file: string, line: Line, stated: StatedFacts = {}): Format => {
  const seeker = new FormatSeeker(file, stated);
  const format = seeker.take(line);
  if (format === undefined) seeker.end();
  return format as Format;
};
