// SPDX-License-Identifier: MIT
// The trace file: a program, its setting, the observations, and the failure. JSON lines: a header, one line for each
// operation, and a last line, without which the file is cut. docs/trace-format.md has the grammar.

import * as v from 'valibot';
import type { Operation, Program } from '../../model/programs/program.ts';
import type { Call } from '../../spec/terms/call.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { BadInput } from './bad-input.ts';
import { hexText, jsonLine } from './json-line.ts';
import { parseObject } from './json-object.ts';
import { BYTES_MAX, DEFECTS_MAX, DIFFERENCES_MAX, LOG_MAX, OPERATIONS_MAX } from './limits.ts';
import { OPERATION, operationJson } from './operation-json.ts';
import { checked } from './read-json.ts';
import { RECORDING_FORMAT } from './recording.ts';
import { SETTING, settingJson } from './setting-json.ts';
import { shown } from './shown.ts';
import { CALL, OBSERVATION, stepJson, type TracedStep } from './step-json.ts';
import { TracedCalls } from './traced-call.ts';
import {
  arena,
  digits,
  exactly,
  fieldOf,
  fields,
  kindOf,
  list,
  passedFd,
  signed,
  text,
  textUpTo,
  U32_MAX,
  u64,
  whole,
} from './values.ts';

export const TRACE_FORMAT = 'iommufd-trace';

/** Version 1 had other ids of rules, and version 2 another name for "failure". */
const VERSION = 3;

export type TraceHeader = {
  readonly setting: Setting;
  /** Where the program's arena lay when it ran. */
  readonly arena: bigint;
  /** The subject and the options that found it. */
  readonly seed: number | undefined;
  readonly subject: string | undefined;
  /** Deliberate defects that the emulator had. */
  readonly defects: readonly string[];
};

export type TracedOperation = {
  readonly operation: Operation;
  /** The call and its observation; undefined if it was not run. */
  readonly step: TracedStep | undefined;
};

/** The differences of a reply from an allowed one: the judge's data, with 64-bit numbers as text. */
export type TraceFailure =
  | {
      readonly kind: 'reply';
      readonly allowed: readonly { readonly rule: string; readonly differences: unknown }[];
    }
  | { readonly kind: 'hidden'; readonly differences: unknown }
  /** Lines of a kernel's log. */
  | { readonly kind: 'complaint'; readonly lines: readonly string[] }
  | { readonly kind: 'death'; readonly said: string };

export type Trace = {
  readonly header: TraceHeader;
  readonly operations: readonly TracedOperation[];
  /** The failure at its end; undefined if none is known. */
  readonly failure: TraceFailure | undefined;
};

type TraceLine =
  | { readonly kind: 'operation'; readonly traced: TracedOperation }
  | { readonly kind: 'end'; readonly failure: TraceFailure | undefined };

const HEADER = v.pipe(
  fields({
    format: exactly(TRACE_FORMAT),
    version: exactly(VERSION),
    ...SETTING,
    arena,
    seed: v.exactOptional(whole(Number.MIN_SAFE_INTEGER)),
    subject: v.exactOptional(text),
    defects: v.exactOptional(list(text, DEFECTS_MAX), []),
  }),
  v.transform(
    ({ release, platform, credentials, arena, seed, subject, defects }): TraceHeader => ({
      setting: { release, platform, credentials },
      arena,
      seed,
      subject,
      defects,
    }),
  ),
);

/** The first line. Throws BadInput. */
const traceHeaderOf = (file: string, text: string): TraceHeader => {
  const value = parseObject(file, 1, text);
  if (value.format === RECORDING_FORMAT) {
    throw new BadInput(file, 1, 'this is a recording; iommufd-spec shrink makes a trace of one');
  }
  if (value.format === TRACE_FORMAT && value.version !== VERSION) {
    const what = `version ${shown(value.version)} of traces is not read, only version ${VERSION}`;
    throw new BadInput(file, 1, `${what}; write the trace again with check or shrink`);
  }
  return checked(HEADER, file, 1, value);
};

const expectation = { expected: text, observed: text };
const span = digits(BYTES_MAX);

/** As jsonLine writes the judge's differences. */
const difference = kindOf('in', {
  result: fields({ in: exactly('result'), ...expectation }),
  memory: fields({ in: exactly('memory'), address: u64, expected: span, observed: span }),
  choice: fields({ in: exactly('choice'), what: text, value: signed, why: text }),
});

const hidden = fields({
  where: text,
  ...expectation,
  at: v.exactOptional(fields({ fd: passedFd, hwpt: whole(0, U32_MAX), iova: u64 })),
});

const failure: v.GenericSchema<unknown, TraceFailure> = kindOf('kind', {
  reply: fields({
    kind: exactly('reply'),
    allowed: list(
      fields({ rule: text, differences: list(difference, DIFFERENCES_MAX) }),
      DIFFERENCES_MAX,
    ),
  }),
  hidden: fields({ kind: exactly('hidden'), differences: list(hidden, DIFFERENCES_MAX) }),
  complaint: fields({ kind: exactly('complaint'), lines: list(text, DIFFERENCES_MAX) }),
  death: fields({ kind: exactly('death'), said: textUpTo(LOG_MAX) }),
});

const END = v.pipe(
  fields({ failure: v.nullable(failure) }),
  v.transform((line): TraceLine => ({ kind: 'end', failure: line.failure ?? undefined })),
);

const STEP = v.pipe(
  fields({
    operation: OPERATION,
    call: v.exactOptional(CALL),
    observation: v.exactOptional(OBSERVATION),
  }),
  v.check(
    ({ call, observation }) => (call === undefined) === (observation === undefined),
    'must have both "call" and "observation", or neither',
  ),
  v.transform(({ operation, call, observation }): TraceLine => {
    const step =
      call === undefined || observation === undefined ? undefined : { call, observation };
    return { kind: 'operation', traced: { operation, step } };
  }),
);

/** Takes the lines of a trace one after the other. */
export class TraceLines {
  readonly header: TraceHeader;
  readonly #file: string;
  readonly #calls: TracedCalls;
  #operations = 0;
  #isEnded = false;

  /** The call of the last operation, with the bytes that it stores. */
  get made(): Call | undefined {
    return this.#calls.made;
  }

  /** `first` is the first line. Throws BadInput. */
  constructor(file: string, first: string) {
    this.header = traceHeaderOf(file, first);
    this.#file = file;
    this.#calls = new TracedCalls(this.header.arena);
  }

  /** Throws BadInput where the line does not fit the format. */
  take(line: number, text: string): TraceLine {
    const value = parseObject(this.#file, line, text);
    const isEnd = fieldOf(value, 'failure') !== undefined;
    const parsed = checked(isEnd ? END : STEP, this.#file, line, value);
    const problem = this.#problem(parsed);
    if (problem !== undefined) throw new BadInput(this.#file, line, problem);
    return parsed;
  }

  #problem(parsed: TraceLine): string | undefined {
    if (this.#isEnded) return 'there is a line after the last one of the trace';
    if (parsed.kind === 'end') {
      this.#isEnded = true;
      return undefined;
    }
    this.#operations += 1;
    if (this.#operations > OPERATIONS_MAX) {
      return `the trace has more than ${OPERATIONS_MAX} operations`;
    }
    const { operation, step } = parsed.traced;
    return this.#calls.problem(operation, step);
  }

  /** After the last line, which has this number. Throws BadInput if lines are missing. */
  end(line: number): void {
    if (this.#isEnded) return;
    throw new BadInput(this.#file, line, 'the trace is cut short: its last line is missing');
  }
}

/** Collects the lines of a trace. `take` and `end` throw BadInput. */
export class TraceReader {
  readonly #file: string;
  readonly #operations: TracedOperation[] = [];
  #line = 0;
  #lines: TraceLines | undefined;
  #failure: TraceFailure | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  take(text: string): void {
    this.#line += 1;
    if (this.#lines === undefined) {
      this.#lines = new TraceLines(this.#file, text);
      return;
    }
    const parsed = this.#lines.take(this.#line, text);
    if (parsed.kind === 'end') this.#failure = parsed.failure;
    else this.#operations.push(parsed.traced);
  }

  /** The trace whose last line was taken. */
  end(): Trace {
    if (this.#lines === undefined) throw new BadInput(this.#file, 0, 'the file is empty');
    this.#lines.end(this.#line);
    return { header: this.#lines.header, operations: this.#operations, failure: this.#failure };
  }
}

/** A trace inside another file. Throws BadInput, without a line number, because that file has its own. */
export const traceOfLines = (file: string, lines: readonly string[]): Trace => {
  const reader = new TraceReader(file);
  try {
    for (const text of lines) reader.take(text);
    return reader.end();
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    throw new BadInput(file, 0, `in line ${error.line} of its trace, ${error.what}`);
  }
};

export const programOf = ({ operations }: Trace): Program =>
  operations.map(({ operation }) => operation);

/** The lines of the file, each without its end. */
export function* traceLines({ header, operations, failure }: Trace): Generator<string> {
  yield jsonLine({
    format: TRACE_FORMAT,
    version: VERSION,
    ...settingJson(header.setting),
    arena: hexText(header.arena),
    ...(header.seed === undefined ? {} : { seed: header.seed }),
    ...(header.subject === undefined ? {} : { subject: header.subject }),
    ...(header.defects.length === 0 ? {} : { defects: header.defects }),
  });
  for (const { operation, step } of operations) {
    yield jsonLine({
      operation: operationJson(operation),
      ...(step === undefined ? {} : stepJson(step)),
    });
  }
  yield jsonLine({ failure: failure ?? null });
}
