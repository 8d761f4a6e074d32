// SPDX-License-Identifier: MIT
// iommufd-spec emit: a trace as a self-contained C file, as a syzkaller program, or as text.

import type { Command } from 'commander';
import type { Operation } from '../../model/programs/program.ts';
import { BadInput } from '../trace/bad-input.ts';
import { jsonLine } from '../trace/json-line.ts';
import { readTrace } from '../trace/read-trace.ts';
import type { Trace } from '../trace/trace-file.ts';
import { optionOf } from './did-you-mean.ts';
import { FINE } from './exit-status.ts';
import { openOutput } from './output.ts';
import { writeAll, writeResult } from './write-result.ts';

const FORMS = ['c', 'text', 'syz'] as const;

type Form = (typeof FORMS)[number];

const HEADER_LINE = 1;

type Options = {
  readonly as: Form;
  readonly output?: string;
  readonly json?: true;
};

const EXAMPLES = `
Examples:
  $ iommufd-spec emit --as c counterexample.jsonl -o reproducer.c
  $ cc -Wall -Werror -o reproducer reproducer.c && sudo ./reproducer
  $ iommufd-spec emit --as text counterexample.jsonl
  $ iommufd-spec emit --as syz counterexample.jsonl -o repro.syz

The C file includes the uAPI headers of the machine where it is compiled, and defines what they are too old for. It
prints each call with its result, and ends with 0 where the kernel answers the last call as the trace says, 1 where it
answers something else, 2 where it cannot set itself up, 3 where the machine lacks something.
C is written only of what the kernel subject would run too (docs/safety.md).
A syzkaller program has the calls that syzkaller's descriptions have; others, such as transfers by a device, are refused
with the line (docs/from-a-fuzzer.md).
Exit status of this command: 0 written, 2 the file is no trace, or holds what is not written so, 3 the result cannot be
written to the file, and is printed.`;

const asText = async (trace: Trace): Promise<string> => {
  const { emissionOf } = await import('../emit/emission.ts');
  const { emissionText } = await import('../emit/text.ts');
  return emissionText(emissionOf(trace));
};

/** The line of an operation of the trace; for an index past the end, the last line. */
const lineOf = ({ operations }: Trace, operation: Operation): number => {
  const index = operations.findIndex((traced) => traced.operation === operation);
  return HEADER_LINE + 1 + (index < 0 ? operations.length - 1 : index);
};

type Refusal = { readonly operation: Operation | undefined; readonly why: string };

const refusal = (file: string, trace: Trace, { operation, why }: Refusal, as: string): BadInput => {
  const line = operation === undefined ? HEADER_LINE : lineOf(trace, operation);
  const what = operation === undefined ? 'the program' : `operation ${operation.label}`;
  return new BadInput(file, line, `${what} is not emitted ${as}: ${why} --as text shows it.`);
};

const asC = async (file: string, trace: Trace): Promise<string> => {
  const { emissionOf, emittedAsIs } = await import('../emit/emission.ts');
  const { cProgram } = await import('../emit/c-program.ts');
  const { checkedProgram, RefusedProgram } = await import('../emit/program-check.ts');
  try {
    // Checked before the program runs on the emulator, which finds its violation.
    checkedProgram(emittedAsIs(trace));
    return cProgram(emissionOf(trace));
  } catch (error) {
    if (!(error instanceof RefusedProgram)) throw error;
    throw refusal(file, trace, error, 'as C');
  }
};

const asSyz = async (file: string, trace: Trace): Promise<string> => {
  const { emissionOf, emittedAsIs } = await import('../emit/emission.ts');
  const { checkedProgram, RefusedProgram } = await import('../emit/program-check.ts');
  const { RefusedOperation, syzText } = await import('../syz/write-program.ts');
  try {
    checkedProgram(emittedAsIs(trace));
    const { program, says } = emissionOf(trace);
    return syzText(program, says);
  } catch (error) {
    if (!(error instanceof RefusedOperation || error instanceof RefusedProgram)) throw error;
    throw refusal(file, trace, error, 'for syzkaller');
  }
};

const TEXTS: Readonly<Record<Form, (file: string, trace: Trace) => Promise<string>>> = {
  c: asC,
  syz: asSyz,
  text: (_file, trace) => asText(trace),
};

const emit = async (file: string, options: Options): Promise<number> => {
  const output = openOutput();
  const trace = await readTrace(file);
  const text = await TEXTS[options.as](file, trace);
  const result = options.json === true ? `${jsonLine({ file, as: options.as, text })}\n` : text;
  const { output: path } = options;
  const { isWritten, failIfUnwritten } = await writeAll({
    result: path === undefined ? undefined : () => writeResult(path, result, '-o'),
  });
  if (!isWritten('result')) output.line(result.trimEnd());
  failIfUnwritten();
  return FINE;
};

export const addEmit = (program: Command): void => {
  program
    .command('emit')
    .description('turn a trace into a self-contained C file, a syzkaller program, or text')
    .argument('<file>', 'a trace, as check and shrink save it')
    .addOption(optionOf('--as <form>', 'what it becomes', FORMS).default('c'))
    .option('-o, --output <file>', 'the output file (default: standard output)')
    .option('--json', 'print one line of JSON with the text')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, options: Options) => {
      process.exitCode = await emit(file, options);
    });
};
