// SPDX-License-Identifier: MIT
// iommufd-spec kernel-build: a kernel to test, from Debian's source or from any tree.

import { existsSync, realpathSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { RELEASE_NAMES } from '../../spec/terms/releases.ts';
import { buildKernel, requireTree } from '../kernel-build/build.ts';
import { treeFolder, type Variant } from '../kernel-build/cache.ts';
import { debianSource, type Source } from '../kernel-build/debian.ts';
import { parseWanted, type Wanted } from '../kernel-build/offers.ts';
import { requireTools } from '../kernel-build/requirements.ts';
import { grouped } from '../text/quantities.ts';
import { BadInput } from '../trace/bad-input.ts';
import { BadUse } from './bad-use.ts';
import { FINE, INTERRUPTED } from './exit-status.ts';
import { interruption } from './interruption.ts';
import { openOutput } from './output.ts';
import { startStages } from './progress.ts';
import { wholeNumber } from './settings.ts';

type Options = {
  readonly tree?: string;
  readonly suite?: string;
  readonly debug?: true;
  readonly iommufdContainer?: true;
  readonly jobs: number;
};

const EXAMPLES = `
Examples:
  $ iommufd-spec kernel-build 7.3
  $ iommufd-spec kernel-build 6.12.95 --suite bookworm-backports
  $ iommufd-spec kernel-build 7.3 --debug
  $ iommufd-spec kernel-build --tree ~/linux
  $ iommufd-spec check --subject kernel --vm "$(npm run --silent kernel:build -- 7.3)"

The image's path is the only line on standard output. Sources and builds are kept in $XDG_CACHE_HOME/iommufd-spec or
~/.cache/iommufd-spec (about 2 GB for a kernel), and an interrupted build continues where it was. Exit status:
2 no such tree or no such kernel in it, 3 this machine lacks a program, a package or a mirror, or the kernel does not
compile.`;

/** The source: a tree, or a version that Debian has. */
type Origin =
  | { readonly kind: 'tree'; readonly source: Source }
  | { readonly kind: 'debian'; readonly wanted: Wanted };

const openTree = (path: string): Source => {
  if (!existsSync(path)) throw new BadInput(path, 0, 'there is no such folder');
  const tree = realpathSync(path);
  requireTree(tree);
  return { tree, folder: treeFolder(tree) };
};

const originOf = (version: string | undefined, { tree, suite }: Options): Origin => {
  if (tree !== undefined) {
    if (version !== undefined)
      throw new BadUse('A tree has its own version: name a version or --tree, not both.');
    if (suite !== undefined)
      throw new BadUse('--suite chooses a Debian suite; leave it out with --tree.');
    return { kind: 'tree', source: openTree(tree) };
  }
  if (version === undefined) throw new BadUse('Name a version, such as 7.3, or a tree (--tree).');
  const wanted = parseWanted(version);
  if (wanted === undefined) throw new BadUse(`${version}  is not a version such as 7.3 or 7.3.4.`);
  return { kind: 'debian', wanted };
};

const variantsOf = ({ debug, iommufdContainer }: Options): readonly Variant[] => [
  ...(debug === true ? (['debug'] as const) : []),
  ...(iommufdContainer === true ? (['iommufd-container'] as const) : []),
];

const kernelBuild = async (version: string | undefined, options: Options): Promise<number> => {
  const origin = originOf(version, options);
  requireTools(origin.kind === 'debian');
  const output = openOutput();
  const { signal, release } = interruption();
  const { report, at, hide } = startStages(output);
  let made = 0;
  try {
    const built = await buildKernel({
      source:
        origin.kind === 'tree'
          ? origin.source
          : await debianSource(origin.wanted, options.suite, RELEASE_NAMES, report, signal),
      variants: variantsOf(options),
      jobs: options.jobs,
      report,
      onFile: (path) => {
        made += 1;
        at(`${grouped(made)} files, ${path}`);
      },
      signal,
    });
    hide();
    if (built.lost.length > 0) output.error(`not in this kernel: ${built.lost.join(', ')}`);
    output.error(`Linux ${built.release}`);
    output.line(built.image);
    return FINE;
  } catch (error) {
    hide();
    if (!signal.aborted) throw error;
    output.error(output.errorPalette.doubtful('interrupted; run the same command to continue'));
    return INTERRUPTED;
  } finally {
    release();
  }
};

export const addKernelBuild = (program: Command): void => {
  program
    .command('kernel-build')
    .description('build a kernel to test, from Debian’s source package or from a tree')
    .argument('[version]', 'a series that Debian has (7.3), or one of its releases (7.3.4)')
    .option('--tree <folder>', 'a source tree of a kernel, instead of a version')
    .option('--suite <suite>', 'the Debian suite (default: the first that has the version)')
    .option('--debug', 'with KASAN, lockdep, UBSAN and further checks of its own')
    .option('--iommufd-container', 'iommufd itself is /dev/vfio/vfio')
    .option('--jobs <jobs>', 'how many compilers at once', wholeNumber(1), availableParallelism())
    .addHelpText('after', EXAMPLES)
    .action(async (version: string | undefined, options: Options) => {
      process.exitCode = await kernelBuild(version, options);
    });
};
