// SPDX-License-Identifier: MIT
// C files of programs that ran on a kernel, compiled here and run there: each must end with 0 where the last observation
// is what the kernel showed, and with 1 where one value of it is
// changed.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ARENA_BASE } from '../../model/programs/arena.ts';
import type { Program } from '../../model/programs/program.ts';
import { cProgram } from '../../oracle/emit/c-program.ts';
import type { Emission } from '../../oracle/emit/emission-data.ts';
import { RefusedProgram } from '../../oracle/emit/program-check.ts';
import type { TracedStep } from '../../oracle/trace/step-json.ts';
import { runVmCommand } from '../../oracle/vm/command.ts';
import type { VmPlatform } from '../../oracle/vm/qemu.ts';
import type { Setting } from '../../spec/terms/platform.ts';

const run = promisify(execFile);

export type RanProgram = {
  readonly name: string;
  readonly program: Program;
  readonly steps: readonly TracedStep[];
};

/** The same observation with one bit of its memory, or else its result, changed. */
const changed = ({ call, observation }: TracedStep, byte: boolean): TracedStep => {
  const index = observation.memory.findIndex(({ bytes }) => bytes.length > 0);
  const segment = observation.memory[index];
  if (byte && segment !== undefined) {
    const bytes = new Uint8Array(segment.bytes);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    const memory = observation.memory.with(index, { ...segment, bytes });
    return { call, observation: { ...observation, memory } };
  }
  const other = observation.errno === 0 ? { result: -1, errno: 22 } : { result: 0, errno: 0 };
  return { call, observation: { ...observation, ...other } };
};

/** Where each file ends, by its name. */
const statusesIn = (output: string): ReadonlyMap<string, number> =>
  new Map(
    [...output.matchAll(/^exit (\d+) (\d+)$/gm)].map(
      ([, name, status]) => [name as string, Number(status)] as const,
    ),
  );

const DEVICE_MEMORY = '/dev/iommufd-spec/device-memory';

/** Rejects where there is no compiler, or a file does not compile. */
const compileAll = async (folder: string, count: number): Promise<void> => {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const file = join(folder, `${index}.c`);
      await run('cc', ['-static', '-Wall', '-Werror', '-o', join(folder, `${index}`), file]);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
};

export const hasCompiler = async (): Promise<boolean> => {
  try {
    await run('cc', ['--version']);
    return true;
  } catch {
    return false;
  }
};

/** The C file; nothing where it is known only on the kernel that the subject may run the program. */
const written = (emission: Emission): string | undefined => {
  try {
    return cProgram(emission);
  } catch (error) {
    if (error instanceof RefusedProgram) return undefined;
    throw error;
  }
};

const CHANGED_EVERY = 3;

export type Reproduced = {
  /** Files that were run, and what is wrong with some, a line each. */
  readonly files: number;
  readonly wrong: readonly string[];
};

export const reproduce = async (
  image: string,
  platform: VmPlatform,
  setting: Setting,
  programs: readonly RanProgram[],
): Promise<Reproduced> => {
  const folder = mkdtempSync(join(tmpdir(), 'reproducers-'));
  const expected: { readonly name: string; readonly status: number }[] = [];
  const add = (name: string, status: number, program: Program, steps: readonly TracedStep[]) => {
    const text = written({ setting, base: ARENA_BASE, program, steps, says: [name] });
    if (text === undefined) return;
    writeFileSync(join(folder, `${expected.length}.c`), text);
    expected.push({ name, status });
  };
  try {
    for (const [index, { name, program, steps }] of programs.entries()) {
      const last = steps.at(-1);
      if (last === undefined) continue;
      add(name, 0, program.slice(0, steps.length), steps);
      // What a store gives is not the kernel's. Some are enough to see that a change is noticed.
      if (last.call.kind === 'store' || index % CHANGED_EVERY !== 0) continue;
      const others = [...steps.slice(0, -1), changed(last, index % (2 * CHANGED_EVERY) === 0)];
      add(`${name}, changed`, 1, program.slice(0, steps.length), others);
    }
    await compileAll(folder, expected.length);
    const loop = `for each in $(seq 0 ${expected.length - 1}); do ./$each ${DEVICE_MEMORY} > output 2>&1; echo "exit $each $?"; done`;
    const { output } = await runVmCommand({ image, platform, folder, command: ['sh', '-c', loop] });
    const statuses = statusesIn(output);
    const wrong = expected.flatMap(({ name, status }, index) => {
      const seen = statuses.get(`${index}`);
      return seen === status ? [] : [`${name}: ended with ${seen ?? 'nothing'} and not ${status}`];
    });
    return { files: expected.length, wrong };
  } finally {
    rmSync(folder, { recursive: true });
  }
};
