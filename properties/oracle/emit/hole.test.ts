// SPDX-License-Identifier: MIT
// A C file whose process has other memory around the arena makes no call: the kernel could write
// there.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cProgram } from '../../../oracle/emit/c-program.ts';
import { emissionOf } from '../../../oracle/emit/emission.ts';
import { map } from '../../defects/shown-operations.ts';
import { traceOn } from '../../harness/emissions.ts';
import { native, open } from '../../helpers/operations.ts';
import { LIMITED, settingOf } from '../../helpers/settings.ts';

const run = promisify(execFile);

/** Loaded before the program: a mapping where a kernel with many random bits may put a library. */
const IN_THE_HOLE = `
#include <stdlib.h>
#include <sys/mman.h>
static void __attribute__((constructor)) plant(void)
{
	if (mmap((void *)0x710000000000, 8192, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		abort();
}
`;

type Ended = { readonly code: number; readonly stdout: string };

const ended = (file: string, env: NodeJS.ProcessEnv): Promise<Ended> =>
  new Promise((done) => {
    const child = execFile(file, { env }, (_, stdout) =>
      done({ code: child.exitCode ?? -1, stdout }),
    );
  });

const hasCompiler = async (): Promise<boolean> => {
  try {
    await run('cc', ['--version']);
    return true;
  } catch {
    return false;
  }
};

/** The library that it needs exists for x86-64 Linux only. */
const withFixedPlaces = async <Result>(start: () => Result): Promise<Result> =>
  (await import('../../../oracle/subjects/kernel/without-aslr.ts')).withoutAslr(start);

const hole = suite('hole in C');
const here = process.platform === 'linux' && process.arch === 'x64' ? hole : hole.skip;

here(
  'with a mapping in the hole the program exits with 3 and a message, and makes no call',
  async () => {
    if (!(await hasCompiler())) {
      process.stdout.write('  (skipped: there is no cc here)\n');
      return;
    }
    const folder = mkdtempSync(join(tmpdir(), 'properties-'));
    try {
      const program = [
        open('iommufd', '/dev/iommu'),
        native('ioas', 'iommufd', 'IOMMU_IOAS_ALLOC', {}),
        map('map', 0x100_0000n, 0x1000n),
      ];
      const text = cProgram(emissionOf(traceOn(settingOf('mock', LIMITED), program)));
      const [source, file] = [join(folder, 'program.c'), join(folder, 'program')];
      const [planted, library] = [join(folder, 'plant.c'), join(folder, 'plant.so')];
      writeFileSync(source, text);
      writeFileSync(planted, IN_THE_HOLE);
      await Promise.all([
        run('cc', ['-o', file, source]),
        run('cc', ['-shared', '-fPIC', '-o', library, planted]),
      ]);
      const { code, stdout } = await ended(file, { ...process.env, LD_PRELOAD: library });
      assert.is(code, 3, stdout);
      assert.match(stdout, /lacks something: free addresses around the arena; setarch -R/);
      assert.not.match(stdout, /open\(/);
      // Without the mapping the program makes its first call, whatever it returns here.
      const free = await withFixedPlaces(() => ended(file, process.env));
      assert.match(free.stdout, /open\("\/dev\/iommu"/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

hole.run();
