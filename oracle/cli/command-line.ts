// SPDX-License-Identifier: MIT
// The command line with its verbs. An error is one line that says what to do.

import { Command, CommanderError } from 'commander';
import { BadInput } from '../trace/bad-input.ts';
import { EnvironmentError } from '../vm/environment-error.ts';
import { addAudit } from './audit.ts';
import { BadUse } from './bad-use.ts';
import { addCheck } from './check.ts';
import { addEmit } from './emit.ts';
import { BAD_INPUT, DEFECT, ENVIRONMENT, FINE } from './exit-status.ts';
import { addExplain } from './explain.ts';
import { addExplore } from './explore.ts';
import { addJudge } from './judge.ts';
import { addKernelBuild } from './kernel-build.ts';
import { addMerge } from './merge.ts';
import { writeError } from './output.ts';
import { addRecord } from './record.ts';
import { addReplay } from './replay.ts';
import { addRules } from './rules.ts';
import { addShrink } from './shrink.ts';
import { addVm } from './vm.ts';

const commandLine = (): Command => {
  const program = new Command('iommufd-spec')
    .description(
      'An executable specification of the VFIO container ABI of Linux, used as an oracle',
    )
    .version('0.1.0')
    .showHelpAfterError('(--help says more)')
    .exitOverride()
    .configureOutput({ writeErr: writeError });

  addJudge(program);
  addCheck(program);
  addMerge(program);
  addRecord(program);
  addReplay(program);
  addShrink(program);
  addEmit(program);
  addRules(program);
  addExplain(program);
  addExplore(program);
  addAudit(program);
  addVm(program);
  addKernelBuild(program);
  return program;
};

const statusOf = (error: unknown): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : BAD_INPUT;
  if (error instanceof BadInput || error instanceof BadUse) {
    writeError(`${error.message}\n`);
    return BAD_INPUT;
  }
  if (error instanceof EnvironmentError) {
    writeError(`${error.message}\n`);
    return ENVIRONMENT;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  writeError(
    `This is a defect of iommufd-spec itself; please report it with the input:\n${text}\n`,
  );
  return DEFECT;
};

/** Runs the command line's arguments. Returns the exit status, as docs/command-line.md has it. */
export const runCommandLine = async (words: readonly string[]): Promise<number> => {
  process.exitCode = FINE;
  try {
    await commandLine().parseAsync([...words], { from: 'user' });
  } catch (error) {
    process.exitCode = statusOf(error);
  }
  return Number(process.exitCode);
};
