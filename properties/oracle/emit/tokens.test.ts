// SPDX-License-Identifier: MIT
// Whatever strings a trace has, its C file has the same tokens except for literals and comments,
// and it compiles.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Operation, Value } from '../../../model/programs/program.ts';
import { INCLUDES } from '../../../oracle/emit/c-preamble.ts';
import { cProgram } from '../../../oracle/emit/c-program.ts';
import { emissionOf } from '../../../oracle/emit/emission.ts';
import { RefusedProgram } from '../../../oracle/emit/program-check.ts';
import type { Trace, TracedOperation, TraceFailure } from '../../../oracle/trace/trace-file.ts';
import { namedTraces } from '../../harness/emissions.ts';
import { hostileText } from '../../helpers/hostile-text.ts';

const run = promisify(execFile);

const FILES = 80;
const COMPILED = 4;

/** The replacement of each string of a trace. Different labels must stay different. */
type Strings = {
  readonly label: (label: string) => string;
  readonly output: string;
  readonly subject: string;
  readonly platform: string;
  readonly device: (name: string) => string;
  readonly said: readonly string[];
};

const withLabel = (value: Value, { label, output }: Strings, known: ReadonlySet<string>): Value => {
  if (typeof value !== 'object' || !('from' in value)) return value;
  // An output that no operation has is 0 under any name.
  return known.has(value.from)
    ? { ...value, from: label(value.from) }
    : { from: label(value.from), out: output };
};

const mapped = (value: unknown, change: (value: Value) => Value): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => mapped(one, change));
  if ('from' in value && 'out' in value) return change(value as Value);
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, mapped(one, change)] as const),
  );
};

const failureWith = (failure: TraceFailure | undefined, { said }: Strings): TraceFailure =>
  failure?.kind === 'reply' || failure === undefined
    ? { kind: 'complaint', lines: said }
    : { kind: 'death', said: said.join('\n') };

/** A call on an output that no operation has; its text contains no other name. */
const nameless = ({ label, output }: Strings): TracedOperation => ({
  operation: { op: 'close', label: label('closed'), fd: { from: label('none'), out: output } },
  step: undefined,
});

const withStrings = (trace: Trace, strings: Strings, keepsFailure: boolean): Trace => {
  const { header, operations } = trace;
  const { setting } = header;
  const labels = new Set(operations.map(({ operation }) => operation.label));
  const devices = setting.platform.devices.map((device) => ({
    ...device,
    name: strings.device(device.name),
  }));
  return {
    header: {
      ...header,
      subject: strings.subject,
      setting: { ...setting, platform: { ...setting.platform, name: strings.platform, devices } },
    },
    operations: [
      ...(keepsFailure ? [] : [nameless(strings)]),
      ...operations.map(({ operation, step }) => {
        const change = (value: Value): Value => withLabel(value, strings, labels);
        const changed = mapped(operation, change) as Operation;
        return { operation: { ...changed, label: strings.label(operation.label) }, step };
      }),
    ],
    failure: keepsFailure ? trace.failure : failureWith(trace.failure, strings),
  };
};

const HARMLESS: Strings = {
  label: (label) => label,
  output: 'nothing',
  subject: 'emulator',
  platform: 'mock',
  // Another name for devices, too, so that no program finds its device by it.
  device: (name) => `x${name}`,
  said: ['said'],
};

const hostileStrings: fc.Arbitrary<Strings> = fc
  .record({
    text: hostileText,
    output: hostileText,
    subject: hostileText,
    platform: hostileText,
    device: hostileText,
    said: fc.array(hostileText, { minLength: 1, maxLength: 3 }),
  })
  .map(({ text, device, ...rest }) => ({
    ...rest,
    label: (label) => `${text}${label}`,
    device: (name) => `${device}${name}`,
  }));

type Pair = { readonly name: string; readonly harmless: string; readonly hostile: string };

/**
 * The C files of one trace with harmless strings and with hostile ones; undefined if no C is
 * written of it.
 */
const pairOf = (
  name: string,
  trace: Trace,
  strings: Strings,
  keepsFailure: boolean,
): Pair | undefined => {
  try {
    const [harmless, hostile] = [HARMLESS, strings].map((each) =>
      cProgram(emissionOf(withStrings(trace, each, keepsFailure))),
    );
    return { name, harmless: harmless ?? '', hostile: hostile ?? '' };
  } catch (error) {
    if (error instanceof RefusedProgram) return undefined;
    throw error;
  }
};

const pairs = (): readonly Pair[] => {
  const traces = namedTraces();
  const generated = fc.sample(
    fc.record({
      at: fc.nat(traces.length - 1),
      strings: hostileStrings,
      keepsFailure: fc.boolean(),
    }),
    { seed: 1, numRuns: FILES },
  );
  return generated.flatMap(({ at, strings, keepsFailure }) => {
    const { name, trace } = traces[at] as (typeof traces)[number];
    return pairOf(name, trace, strings, keepsFailure) ?? [];
  });
};

/**
 * Without the headers at the start of the file: what they declare does not matter. Any other
 * include stays.
 */
const withoutIncludes = (text: string): string => {
  const head = INCLUDES.filter((line) => line !== '').join('\n');
  assert.ok(text.includes(head));
  return text.replace(head, '');
};

const marked = (texts: readonly string[]): string =>
  texts.map((text, index) => `\nint file_${index};\n${withoutIncludes(text)}`).join('');

/**
 * The output of the preprocessor: trigraphs, comments and joined lines are gone, and literals are
 * empty.
 */
const tokensOf = async (file: string, texts: readonly string[]): Promise<readonly string[]> => {
  writeFileSync(file, marked(texts));
  const { stdout } = await run('cc', ['-E', '-P', '-std=c11', '-trigraphs', '-w', file], {
    maxBuffer: 1 << 28,
  });
  const tokens = stdout.replaceAll(/"(?:[^"\\\n]|\\.)*"/g, '""').replaceAll(/\s+/g, ' ');
  return tokens.split(/(?=\bint file_\d+;)/).filter((part) => part.startsWith('int file_'));
};

const tokens = suite('tokens');

const hasCompiler = await run('cc', ['--version']).then(
  () => true,
  () => false,
);
const here = hasCompiler ? tokens : tokens.skip;

const folder = mkdtempSync(join(tmpdir(), 'properties-'));
tokens.after(() => rmSync(folder, { recursive: true }));

const all = pairs();

tokens('enough files are hostile', () => {
  assert.ok(all.length > FILES / 2, `${all.length}`);
  assert.ok(all.every(({ harmless, hostile }) => harmless !== hostile));
});

here('are the same whatever strings the trace holds', async () => {
  const harmless = await tokensOf(
    join(folder, 'harmless.c'),
    all.map((pair) => pair.harmless),
  );
  const hostile = await tokensOf(
    join(folder, 'hostile.c'),
    all.map((pair) => pair.hostile),
  );
  assert.is(harmless.length, all.length);
  for (const [index, { name, hostile: text }] of all.entries()) {
    assert.is(hostile[index], harmless[index], `${name}\n${text}`);
  }
});

here('such files compile without a warning', async () => {
  const sample = [...all].sort((one, other) => other.hostile.length - one.hostile.length);
  for (const [index, { name, hostile }] of sample.slice(0, COMPILED).entries()) {
    const file = join(folder, `${index}.c`);
    writeFileSync(file, hostile);
    await run('cc', ['-Wall', '-Werror', '-fsyntax-only', file]).catch((error: Error) => {
      throw new Error(`${name}: ${error.message}`);
    });
  }
});

tokens.run();
