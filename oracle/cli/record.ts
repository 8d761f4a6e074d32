// iommufd-spec record: what an unmodified program does, as a recording that can be judged.

import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { RELEASE_NAMES } from '../../spec/terms/releases.ts';
import { grouped } from '../text/quantities.ts';
import { EnvironmentError } from '../vm/environment-error.ts';
import { BadUse } from './bad-use.ts';
import { openOutput } from './output.ts';

type Options = { readonly output: string; readonly everyCall?: true };

const EXAMPLES = `
Examples:
  $ iommufd-spec record -o run.jsonl.gz -- ./iommufd -r iommufd_ioas.mock_domain.copy_area
  $ iommufd-spec judge --verbose run.jsonl.gz
  $ iommufd-spec vm bzImage -- sh -c 'npx iommufd-spec record -o /dev/shm/a.gz -- ./test && base64 /dev/shm/a.gz'

The program runs as it would without; its threads and children are recorded too. Its exit status stands in the
recording. Exit status: 0 recorded, 2 there is no such program or the file cannot be written, 3 the machine does not let
programs be traced.`;

const checkTarget = (file: string): void => {
  const folder = dirname(file);
  if (existsSync(file) && !statSync(file).isFile()) throw new BadUse(`${file} is no plain file.`);
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw new BadUse(`${folder} is no folder that can be written to.`);
  }
};

const recordProgram = async (words: readonly string[], options: Options): Promise<void> => {
  const { record } = await import('../record/record.ts');
  const { programFile } = await import('../record/start.ts');
  const [name = ''] = words;
  if (programFile(name) === undefined) throw new BadUse(`There is no program ${name}.`);
  checkTarget(options.output);
  const output = openOutput();
  const recorded = await record(options.output, words, options.everyCall === true);
  switch (recorded.kind) {
    case 'not permitted':
      throw new EnvironmentError(
        `This machine does not let programs be traced (ptrace(2): error ${recorded.errno}). ` +
          'Run as root, or set kernel.yama.ptrace_scope to 1 at most.',
      );
    case 'not a program':
      throw new BadUse(`${name} cannot be executed.`);
    case 'recorded':
      if (!RELEASE_NAMES.some((known) => known === release())) {
        output.error(
          `Kernel ${release()} is not specified, so that the recording cannot be judged.`,
        );
      }
      output.error(
        `${options.output}: ${grouped(recorded.lines)} lines; the program ended with ${recorded.exit}`,
      );
  }
};

export const addRecord = (program: Command): void => {
  program
    .command('record')
    .description('record what a program does on the device files of iommufd and VFIO')
    .argument('<program...>', 'the program and its arguments, behind --')
    .requiredOption('-o, --output <file>', 'the recording; compressed where it ends in .gz')
    .option('--every-call', 'stop the program at every system call, not only at those of interest')
    .addHelpText('after', EXAMPLES)
    .action(recordProgram);
};
