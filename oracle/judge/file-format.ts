// SPDX-License-Identifier: MIT
// The two kinds of files that can be judged, recordings and traces, read line by line.

import { startOfProgram } from '../../model/programs/builder.ts';
import type { World } from '../../spec/state/world.ts';
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
import { judge } from './judge.ts';
import { judgeRecorded, startOf, worldAfterEvent } from './session.ts';
import { memoryProblem } from './traced-memory.ts';
import type { JudgedCall } from './verdict.ts';

/** The world after a line, and its call if it has one. After a violation, the world before it. */
export type Taken = { readonly world: World; readonly judged?: JudgedCall };

/** The kind of violation that a trace records, and the subject. */
export type RecordedFailure = {
  readonly kind: TraceFailure['kind'];
  readonly subject: string | undefined;
};

/** Reads the lines of one format. */
export type Format = {
  readonly name: 'recording' | 'trace';
  readonly release: string;
  readonly start: World;
  /** Takes a line after the first. Throws BadInput if it does not fit the format. */
  readonly take: (world: World, line: Line) => Taken;
  /** Whether the line, after a violation, is a call. */
  readonly isCall: (line: Line) => boolean;
  /** Called after the last line. */
  readonly end: (line: number) => void;
  /** The violation that the last line of a trace records; undefined for a recording. */
  readonly recordedFailure: () => RecordedFailure | undefined;
};

const recordingFormat = (file: string, text: string, stated: StatedFacts): Format => {
  const header = parseHeader(file, text);
  const reader = new RecordingReader(file, header);
  return {
    name: 'recording',
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

/** The format of a file by its first line. `stated` has facts that a recording need not state; a trace states all. */
export const formatOf = (file: string, line: Line, stated: StatedFacts = {}): Format => {
  const text = textOf(file, line);
  const value = parseObject(file, 1, text);
  return value.format === TRACE_FORMAT
    ? traceFormat(file, text)
    : recordingFormat(file, text, stated);
};
