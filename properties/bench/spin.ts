// SPIN on one of the texts beside this: a verifier made with C, as it is usually made for safety without reduction.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** States of which the search has not come back: in depth first. */
const DEPTH = 2_000_000;
const CC_FLAGS = ['-O2', '-DSAFETY', '-DNOREDUCE'];
const MOST_OUTPUT = 1 << 24;

export type SpinRan = {
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

const told = (output: string, what: RegExp): number => {
  const found = what.exec(output)?.[1];
  if (found === undefined) throw new Error(`SPIN does not tell what was expected:\n${output}`);
  return Number(found);
};

/** The verifier is made first; only the search is measured. */
export const withSpin = async <T>(
  model: string,
  define: string,
  use: (search: () => Promise<SpinRan>) => Promise<T>,
): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), 'spin-'));
  try {
    const text = resolve('properties', 'bench', 'spin', `${model}.pml`);
    await run('spin', [`-D${define}`, '-a', text], { cwd: folder });
    await run('cc', [...CC_FLAGS, '-o', 'pan', 'pan.c'], { cwd: folder });
    return await use(async () => {
      const start = performance.now();
      const { stdout } = await run(join(folder, 'pan'), [`-m${DEPTH}`], {
        cwd: folder,
        maxBuffer: MOST_OUTPUT,
      });
      const seconds = (performance.now() - start) / 1000;
      if (told(stdout, /errors: (\d+)/) !== 0 || stdout.includes('search depth too small')) {
        throw new Error(`SPIN did not search the whole:\n${stdout}`);
      }
      return {
        seconds,
        distinct: told(stdout, /(\d+) states, stored/),
        generated: told(stdout, /(\d+) transitions/),
        memory: told(stdout, /([\d.]+)\ttotal actual memory usage/),
      };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
};
