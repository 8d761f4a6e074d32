// SPDX-License-Identifier: MIT
// Compiles the C files of rows on this machine and runs them on a kernel. A file exits with 0 if the kernel shows its row.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HEADER_NAME, twoSidesHeader } from '../emit/two-sides-header.ts';
import { runVmCommand } from '../vm/command.ts';
import type { CFile } from './c-files.ts';

const run = promisify(execFile);

/** The file of a device's BAR in virtual machines, which can be mapped. */
const DEVICE_MEMORY = '/dev/iommufd-spec/device-memory';

/** Whether there is a C compiler. */
export const canCompile = async (): Promise<boolean> => {
  try {
    await run('cc', ['--version']);
    return true;
  } catch {
    return false;
  }
};

/** Rejects if a file does not compile. */
const compileAll = async (folder: string, files: readonly CFile[]): Promise<void> => {
  writeFileSync(join(folder, HEADER_NAME), twoSidesHeader());
  let next = 0;
  const work = async (): Promise<void> => {
    for (let file = files[next++]; file !== undefined; file = files[next++]) {
      const program = join(folder, file.id);
      writeFileSync(`${program}.c`, file.text);
      await run('cc', ['-static', '-Wall', '-Werror', '-o', program, `${program}.c`]);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
};

/** The files, grouped by the virtual machine that they need. */
const byMachine = (files: readonly CFile[]): readonly (readonly [CFile, ...CFile[]])[] => {
  const groups = new Map<string, [CFile, ...CFile[]]>();
  for (const file of files) {
    const { machine, kernelArguments } = file.found.scenario;
    const key = [machine, ...kernelArguments].join(' ');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [file]);
    else group.push(file);
  }
  return [...groups.values()];
};

const commandFor = ({ id, devices, mapsBar }: CFile): string => {
  const words = mapsBar ? [...devices, DEVICE_MEMORY] : devices;
  return `./${id} ${words.join(' ')} > output 2>&1; echo "exit ${id} $?"`;
};

/** The ids of the files that exit with 0 on the kernel. Rejects with EnvironmentError if it cannot be started. */
export const reproducedOn = async (
  image: string,
  files: readonly CFile[],
): Promise<ReadonlySet<string>> => {
  const folder = mkdtempSync(join(tmpdir(), 'reproducers-'));
  const shown = new Set<string>();
  try {
    await compileAll(folder, files);
    for (const there of byMachine(files)) {
      const { machine, kernelArguments } = there[0].found.scenario;
      const { output } = await runVmCommand({
        image,
        platform: machine,
        kernelArguments,
        folder,
        command: ['sh', '-c', there.map(commandFor).join('; ')],
      });
      for (const [, id] of output.matchAll(/^exit (\S+) 0\r?$/gm))
        if (id !== undefined) shown.add(id);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return shown;
};
