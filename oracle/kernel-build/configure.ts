// SPDX-License-Identifier: MIT
// A kernel's configuration: tinyconfig with our fragments on top, and a check that all options took effect.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BadInput } from '../trace/bad-input.ts';
import { makeCacheFolder, saveInCache, type Variant } from './cache.ts';
import { outputOf } from './run.ts';

/** The fragments are not compiled: they are next to the source of this file. */
const FRAGMENTS = fileURLToPath(new URL('../../../oracle/kernel-build/config/', import.meta.url));

/** Required options. */
const NEEDED = ['CONFIG_IOMMUFD', 'CONFIG_9P_FS', 'CONFIG_NET_9P_VIRTIO', 'CONFIG_VIRTIO_CONSOLE'];

export const fragmentsOf = (variants: readonly Variant[]): readonly string[] =>
  ['kernel', ...variants].map((name) => join(FRAGMENTS, `${name}.config`));

/** Option to value; "n" for one that is not set. The last one of a name holds. */
export const optionsOf = (config: string): ReadonlyMap<string, string> => {
  const options = new Map<string, string>();
  for (const line of config.split('\n')) {
    const [, set, value] = /^(CONFIG_\w+)=(.*)$/.exec(line) ?? [];
    const [, unset] = /^# (CONFIG_\w+) is not set$/.exec(line) ?? [];
    if (set !== undefined && value !== undefined) options.set(set, value);
    else if (unset !== undefined) options.set(unset, 'n');
  }
  return options;
};

/** Options of the fragments that did not take effect: the tree does not have them, or their dependencies fail. */
export const lostOptions = (fragments: readonly string[], config: string): readonly string[] => {
  const has = optionsOf(config);
  return [...optionsOf(fragments.join('\n'))]
    .filter(([name, value]) => (has.get(name) ?? 'n') !== value)
    .map(([name]) => name);
};

const read = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** Configures the build folder if the fragments changed. Returns the options that were lost. */
export const configure = async (
  tree: string,
  build: string,
  variants: readonly Variant[],
  make: (target: string) => Promise<unknown>,
): Promise<readonly string[]> => {
  makeCacheFolder(build);
  const config = join(build, '.config');
  const stamp = join(build, 'fragments.sha256');
  const fragments = fragmentsOf(variants);
  const texts = fragments.map((path) => readFileSync(path, 'utf8'));
  const digest = createHash('sha256').update(texts.join('\0')).digest('hex');
  if (!existsSync(config) || read(stamp) !== digest) {
    await make('tinyconfig');
    const merge = join(tree, 'scripts', 'kconfig', 'merge_config.sh');
    await outputOf('sh', [merge, '-m', '-O', build, config, ...fragments], { folder: build });
    await saveInCache(stamp, digest);
  }
  await make('olddefconfig');
  const lost = lostOptions(texts, read(config));
  const needed = lost.filter((name) => NEEDED.includes(name));
  if (needed.length > 0) {
    throw new BadInput(tree, 0, `this kernel has no ${needed.join(', ')}, and cannot be tested`);
  }
  return lost;
};
