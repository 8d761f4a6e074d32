// The two kinds of files that can be judged, recordings and traces, read line by line.

import { startOfProgram } from '../../model/programs/draft.ts';
import type { World } from '../../spec/state/world.ts';
import { judge } from '../judge/judge.ts';
import { withEvent } from '../judge/recorded-events.ts';
import { judgeRecorded, startOf } from '../judge/session.ts';
import type { JudgedCall } from '../report/violation.ts';
import { BadInput } from '../trace/bad-input.ts';
import { Fields, parseObject } from '../trace/fields.ts';
import { parseEvent, type RecordedEvent } from '../trace/recorded-event.ts';
import { RecordedLineReader } from '../trace/recorded-line.ts';
import { parseCall, parseHeader } from '../trace/recording.ts';
import {
  TRACE_FORMAT,
  type TracedOperation,
  traceHeaderOf,
  traceLineOf,
} from '../trace/trace-file.ts';

/** A line within a chunk of the file, from `start` to before `end`. */
export type Line = {
  readonly number: number;
  readonly chunk: Buffer;
  readonly start: number;
  readonly end: number;
};

export const textOf = ({ chunk, start, end }: Line): string => chunk.toString('utf8', start, end);

/** Reads the lines of one format. `judge` gives nothing for a line that is no call. */
export type Format = {
  readonly name: 'recording' | 'trace';
  readonly release: string;
  readonly start: World;
  readonly judge: (world: World, line: Line) => JudgedCall | undefined;
  /** The world after a line that is no call but tells something; nothing for any other line. */
  readonly told: (world: World, line: Line) => World | undefined;
  /** Whether the line, behind a violation, is a call. */
  readonly isCall: (line: Line) => boolean;
  /** Called behind the last line. */
  readonly end: (line: number) => void;
};

/** Most lines are, and need not be read as anything else. */
const isIoctl = ({ chunk, start, end }: Line): boolean =>
  chunk.subarray(start, end).includes('"cmd":"');

const recordingFormat = (file: string, text: string): Format => {
  const header = parseHeader(file, text);
  const reader = new RecordedLineReader();
  const eventIn = (line: Line): RecordedEvent | undefined =>
    header.version === 1 || isIoctl(line) ? undefined : parseEvent(file, line.number, textOf(line));
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
    told: (world, line) => {
      const event = eventIn(line);
      return event === undefined ? undefined : withEvent(world, event);
    },
    isCall: (line) => eventIn(line) === undefined,
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
    told: () => undefined,
    isCall: (line) => operationIn(fieldsOf(line)) !== undefined,
    end: (line) => {
      if (!ended) {
        throw new BadInput(file, line, 'the trace is cut short: its last line is missing');
      }
    },
  };
};

/** The format of a file by its first line. */
export const formatOf = (file: string, text: string): Format => {
  const value = parseObject(file, 1, text);
  return value.format === TRACE_FORMAT
    ? traceFormat(file, new Fields(file, 1, value))
    : recordingFormat(file, text);
};
