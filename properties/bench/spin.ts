// SPDX-License-Identifier: MIT
// SPIN on one of the models in this folder: a verifier made with C, as it is usually made for safety without reduction.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const CC_FLAGS = ['-O2', '-DSAFETY', '-DNOREDUCE'];
const MOST_OUTPUT = 1 << 24;

export type SpinRan = {
  /** Of the processor. */
  readonly seconds: number;
  readonly distinct: number;
  readonly generated: number;
  /** MiB, as it says itself, its stack and its table included. */
  readonly memory: number;
};

/** What is missing on this machine; undefined where nothing is. */
export const missingForSpin = async (): Promise<string | undefined> => {
  for (const [program, argument] of [
    ['spin', '-V'],
    ['cc', '--version'],
  ] as const) {
    try {
      await run(program, [argument]);
    } catch {
      return program;
    }
  }
  return undefined;
};

const reported = (output: string, what: RegExp): number => {
  const found = what.exec(output)?.[1];
  if (found === undefined) throw new Error(`SPIN did not print what was expected:\n${output}`);
  return Number(found);
};

/** What a shell's `times` says of its children, in seconds: "0m1.250s 0m0.040s". */
const processorTime = (line: string): number =>
  [...line.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  );

export type SpinModel = {
  /** The text's name, and what is defined for it. */
  readonly name: string;
  readonly define: string;
  /** How deep the search may be: it goes in depth first. */
  readonly deepest: number;
};

/** The verifier is made first; only the search is measured. */
export const withSpin = async <T>(
  { name, define, deepest }: SpinModel,
  use: (search: () => Promise<SpinRan>) => Promise<T>,
): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), 'spin-'));
  try {
    const text = resolve('properties', 'bench', 'spin', `${name}.pml`);
    await run('spin', [`-D${define}`, '-a', text], { cwd: folder });
    await run('cc', [...CC_FLAGS, '-o', 'pan', 'pan.c'], { cwd: folder });
    return await use(async () => {
      const { stdout } = await run('sh', ['-c', `./pan -m${deepest}; times`], {
        cwd: folder,
        maxBuffer: MOST_OUTPUT,
      });
      if (reported(stdout, /errors: (\d+)/) !== 0 || stdout.includes('search depth too small')) {
        throw new Error(`SPIN did not search the whole:\n${stdout}`);
      }
      return {
        seconds: processorTime(stdout.trimEnd().split('\n').at(-1) ?? ''),
        distinct: reported(stdout, /(\d+) states, stored/),
        generated: reported(stdout, /([\d.]+(?:e\+\d+)?) transitions/),
        memory: reported(stdout, /([\d.]+)\ttotal actual memory usage/),
      };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
};
