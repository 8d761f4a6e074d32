// The trace file: a program, what it runs on, what a subject answered, and what is wrong with that. JSON lines: a header,
// a line an operation, and a last line without which the file is cut short. docs/trace-format.md has the grammar.

import type { Operation, Program } from '../../model/programs/program.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { BadInput } from './bad-input.ts';
import { Fields, parseObject } from './fields.ts';
import { hexText, jsonLine } from './json-line.ts';
import { OPERATIONS_MAX } from './limits.ts';
import { operationJson, operationOf } from './operation-json.ts';
import { settingJson, settingOf } from './setting-json.ts';
import { stepJson, stepOf, type TracedStep } from './step-json.ts';

export const TRACE_FORMAT = 'iommufd-trace';

/** Of version 1 the rules had other ids. */
const VERSION = 2;

export type TraceHeader = {
  readonly setting: Setting;
  /** Where the program's arena lay when it ran. */
  readonly arena: bigint;
  /** What it was found with, and in what. */
  readonly seed: number | undefined;
  readonly subject: string | undefined;
  /** Deliberate defects that the emulator had. */
  readonly defects: readonly string[];
};

export type TracedOperation = {
  readonly operation: Operation;
  /** As it was made and what came of it; undefined where it was not run. */
  readonly step: TracedStep | undefined;
};

/** How a reply differs from what one rule allows: the judge's data, 64-bit numbers as text. */
export type TraceFault =
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
  /** What is wrong at its end; undefined where nothing is known to be. */
  readonly fault: TraceFault | undefined;
};

export type TraceLine =
  | { readonly kind: 'operation'; readonly traced: TracedOperation }
  | { readonly kind: 'end'; readonly fault: TraceFault | undefined };

/** The first line, which the caller has parsed. */
export const traceHeaderOf = (fields: Fields): TraceHeader => {
  if (fields.raw('format') !== TRACE_FORMAT) {
    const isRecording = fields.raw('format') === 'iommufd-recording';
    fields.fail(
      isRecording
        ? 'this is a recording; iommufd-spec shrink makes a trace of one'
        : `"format" is not "${TRACE_FORMAT}"; this is no trace`,
    );
  }
  if (fields.raw('version') !== VERSION) {
    const version = String(fields.raw('version'));
    fields.fail(
      `version ${version} of traces is not read, only version ${VERSION}; write the trace again with check or shrink`,
    );
  }
  fields.only(
    ...[
      'format',
      'version',
      'release',
      'platform',
      'credentials',
      'arena',
      'seed',
      'subject',
      'defects',
    ],
  );
  return {
    setting: settingOf(fields),
    arena: fields.hex('arena'),
    seed: fields.has('seed') ? fields.integer('seed') : undefined,
    subject: fields.has('subject') ? fields.text('subject') : undefined,
    defects: fields.has('defects') ? fields.texts('defects') : [],
  };
};

const faultOf = (fields: Fields): TraceFault => {
  const kind = fields.word('kind', ['reply', 'hidden', 'complaint', 'death']);
  switch (kind) {
    case 'reply': {
      fields.only('kind', 'allowed');
      const allowed = fields.objects('allowed').map((outcome) => {
        outcome.only('rule', 'differences');
        return { rule: outcome.text('rule'), differences: outcome.list('differences') };
      });
      return { kind, allowed };
    }
    case 'hidden':
      fields.only('kind', 'differences');
      return { kind, differences: fields.list('differences') };
    case 'complaint':
      fields.only('kind', 'lines');
      return { kind, lines: fields.texts('lines') };
    case 'death':
      fields.only('kind', 'said');
      return { kind, said: fields.text('said') };
  }
};

/** Any line but the first. */
export const traceLineOf = (fields: Fields): TraceLine => {
  if (fields.names().includes('fault')) {
    fields.only('fault');
    const fault = fields.raw('fault') === null ? undefined : faultOf(fields.object('fault'));
    return { kind: 'end', fault };
  }
  fields.only('operation', 'call', 'observation');
  const operation = operationOf(fields.object('operation'));
  if (fields.has('call') !== fields.has('observation')) {
    fields.fail('"call" and "observation" belong together, and one of them is missing');
  }
  const step = fields.has('call') ? stepOf(fields) : undefined;
  return { kind: 'operation', traced: { operation, step } };
};

/** Reads a whole trace line by line: programs are short. */
export class TraceReader {
  readonly #file: string;
  readonly #operations: TracedOperation[] = [];
  #header: TraceHeader | undefined;
  #end: Extract<TraceLine, { kind: 'end' }> | undefined;
  #line = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** The next line. Throws BadInput. */
  take(text: string): void {
    this.#line += 1;
    const fields = new Fields(this.#file, this.#line, parseObject(this.#file, this.#line, text));
    if (this.#header === undefined) {
      this.#header = traceHeaderOf(fields);
      return;
    }
    if (this.#end !== undefined) fields.fail('there is a line behind the one that ends the trace');
    const parsed = traceLineOf(fields);
    if (parsed.kind === 'end') {
      this.#end = parsed;
      return;
    }
    if (this.#operations.push(parsed.traced) > OPERATIONS_MAX) {
      fields.fail(`the trace has more than ${OPERATIONS_MAX} operations`);
    }
  }

  /** Behind the last line. Throws BadInput. */
  end(): Trace {
    if (this.#header === undefined) throw new BadInput(this.#file, 0, 'the file is empty');
    if (this.#end === undefined) {
      const what = 'the trace is cut short: its last line is missing';
      throw new BadInput(this.#file, this.#line, what);
    }
    return { header: this.#header, operations: this.#operations, fault: this.#end.fault };
  }
}

/** A trace that is part of another file. Throws BadInput, without a line as that file has others. */
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
export function* traceLines({ header, operations, fault }: Trace): Generator<string> {
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
  yield jsonLine({ fault: fault ?? null });
}
