// SPDX-License-Identifier: MIT
// Builds a kernel from a tree, in a separate folder, and continues an interrupted build.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BadInput } from '../trace/bad-input.ts';
import { EnvironmentError } from '../vm/environment-error.ts';
import { buildFolder, type Variant } from './cache.ts';
import { configure } from './configure.ts';
import type { Report, Source } from './debian.ts';
import { run } from './run.ts';

const IMAGE = join('arch', 'x86', 'boot', 'bzImage');
const LOG_LINES = 15;

export type Build = {
  readonly source: Source;
  readonly variants: readonly Variant[];
  readonly jobs: number;
  readonly report: Report;
  /** Called with the path of each file that was made. */
  readonly onFile: (path: string) => void;
  readonly signal?: AbortSignal;
};

export type Built = {
  /** The path of the bzImage. */
  readonly image: string;
  /** The output of `uname -r`. */
  readonly release: string;
  /** Options that this kernel does not have. */
  readonly lost: readonly string[];
};

/** Throws BadInput if there is no kernel tree, or if the tree itself has a build. */
export const requireTree = (tree: string): void => {
  if (!existsSync(join(tree, 'Kconfig')) || !existsSync(join(tree, 'scripts', 'kconfig'))) {
    throw new BadInput(tree, 0, 'this is not the source tree of a kernel');
  }
  if (existsSync(join(tree, '.config')) || existsSync(join(tree, 'include', 'config'))) {
    throw new BadInput(
      tree,
      0,
      `this tree was configured in place, and cannot then be built elsewhere; run: make -C ${tree} mrproper`,
    );
  }
};

/** A line of kbuild's: "  CC      drivers/iommu/iommufd/pages.o". */
export const madeFile = (line: string): string | undefined =>
  /^ {2}[A-Z][A-Z0-9_]* +(\S+)/.exec(line)?.[1];

/** From the first error on, if one is found. */
export const errorLines = (said: string): string => {
  const lines = said.trimEnd().split('\n');
  const first = lines.findIndex((line) => /\berror\b|undefined reference/i.test(line));
  const start = Math.max(0, first < 0 ? lines.length - LOG_LINES : first - 2);
  return lines.slice(start, start + LOG_LINES).join('\n');
};

/** Rejects with EnvironmentError or BadInput if the build fails. */
export const buildKernel = async (options: Build): Promise<Built> => {
  const { source, variants, jobs, report, onFile, signal } = options;
  const { tree } = source;
  const build = buildFolder(source.folder, variants);
  // An empty LOCALVERSION keeps a "+" away from the release's name.
  const words = ['--no-print-directory', '-C', tree, `O=${build}`, 'ARCH=x86_64', 'LOCALVERSION='];
  const make = async (target: string, ...more: readonly string[]): Promise<string> => {
    const ran = await run('make', [...words, ...more, target], {
      ...(signal === undefined ? {} : { signal }),
      onLine: (line) => {
        const path = madeFile(line);
        if (target === 'bzImage' && path !== undefined) onFile(path);
      },
    });
    if (ran.status === 0) return ran.output;
    throw new EnvironmentError(
      `make ${target} failed in ${build}:\n${errorLines(ran.complaint || ran.output)}`,
    );
  };

  report('configuring');
  const lost = await configure(tree, build, variants, make);
  report('compiling');
  await make('bzImage', `-j${jobs}`);
  const release = (await make('kernelrelease', '-s')).trim();
  return { image: join(build, IMAGE), release, lost };
};
