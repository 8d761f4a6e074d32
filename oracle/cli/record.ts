// SPDX-License-Identifier: MIT
// iommufd-spec record: records the calls of an unmodified program, to be judged.

import { release } from 'node:os';
import type { Command } from 'commander';
import { match } from 'ts-pattern';
import { versionOf } from '../../spec/terms/releases.ts';
import type { Recorded } from '../record/record.ts';
import { count, grouped } from '../text/quantities.ts';
import { EnvironmentError } from '../vm/environment-error.ts';
import { BadUse } from './bad-use.ts';
import { openOutput } from './output.ts';

type Options = { readonly output: string; readonly everyCall?: true };

const EXAMPLES = `
Examples:
  $ iommufd-spec record -o run.jsonl.gz -- ./iommufd -r iommufd_ioas.mock_domain.copy_area
  $ iommufd-spec judge --verbose run.jsonl.gz
  $ iommufd-spec vm bzImage -- sh -c 'npx iommufd-spec record -o /dev/shm/a.gz -- ./test && base64 /dev/shm/a.gz'

The program runs unchanged; its threads and children are recorded too. Its exit status is in the
recording. Exit status: 0 recorded, 2 there is no such program or the file cannot be written (nothing is run), 3 the machine
does not permit tracing, or the recording ends before the program does, as on a full disk: the program continues, and the
recording says so.`;

type Success = Extract<Recorded, { kind: 'recorded' }>;

/** The problems of the recording, one line each. */
const problemsOf = (file: string, { path, lines, cut, unsaved }: Success): readonly string[] => {
  if (path === undefined) {
    return [
      `Nothing is recorded: ${unsaved ?? cut}. Free some space, or name another file with -o.`,
    ];
  }
  const kept = path === file || unsaved !== undefined ? '' : ` ${file} is as it was.`;
  return [
    ...(cut === undefined
      ? []
      : [
          `${path}: the recording ends after ${count(lines, 'line')}, before the program did: ${cut}.${kept}`,
        ]),
    ...(unsaved === undefined
      ? []
      : [`The recording cannot be saved: ${file}: ${unsaved}. It is in ${path}.`]),
  ];
};

const recordProgram = async (words: readonly string[], options: Options): Promise<void> => {
  const { record } = await import('../record/record.ts');
  const { programFile } = await import('../record/start.ts');
  const [name = ''] = words;
  if (programFile(name) === undefined) throw new BadUse(`There is no program ${name}.`);
  const { output: file } = options;
  const recorded = await record(file, words, options.everyCall === true);
  const output = openOutput();
  match(recorded)
    .with({ kind: 'unwritable' }, ({ reason }) => {
      throw new BadUse(
        `The recording cannot be saved: ${file}: ${reason}. ` +
          'Nothing was run; name another file with -o.',
      );
    })
    .with({ kind: 'not permitted' }, ({ errno }) => {
      throw new EnvironmentError(
        `This machine does not permit tracing (ptrace(2): error ${errno}). ` +
          'Run as root, or set kernel.yama.ptrace_scope to 1 at most.',
      );
    })
    .with({ kind: 'not a program' }, () => {
      throw new BadUse(`${name} cannot be executed.`);
    })
    .with({ kind: 'recorded' }, (success) => {
      if (versionOf(release()) === undefined) {
        output.error(
          `Kernel ${release()} is no version of Linux from 6.2 on; the recording cannot be judged.`,
        );
      }
      const { path = file, lines, exit } = success;
      output.error(`${path}: ${grouped(lines)} lines; the program ended with ${exit}`);
      const problems = problemsOf(file, success);
      if (problems.length > 0) throw new EnvironmentError(problems.join('\n'));
    })
    .exhaustive();
};

export const addRecord = (program: Command): void => {
  program
    .command('record')
    .description('record what a program does on the device files of iommufd and VFIO')
    .argument('<program...>', 'the program and its arguments, after --')
    .requiredOption('-o, --output <file>', 'the recording; compressed if the name ends in .gz')
    .option(
      '--every-call',
      'stop the program at every system call, not only at those that are recorded',
    )
    .addHelpText('after', EXAMPLES)
    .action(recordProgram);
};
