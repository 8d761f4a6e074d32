// Where sources and builds are kept, outside the checkout.

import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';

/** The fragments on top of the first, which every kernel has. */
export const VARIANTS = ['debug', 'iommufd-container'] as const;

export type Variant = (typeof VARIANTS)[number];

export const cacheFolder = (environment: NodeJS.ProcessEnv = process.env): string => {
  const { XDG_CACHE_HOME: told } = environment;
  const base = told === undefined || told === '' ? join(homedir(), '.cache') : told;
  return join(base, 'iommufd-spec', 'kernels');
};

/** Of a package's source tree and its builds. */
export const packageFolder = (name: string, version: string): string =>
  join(cacheFolder(), `${name}_${version}`);

/** Of the builds of somebody's tree; `tree` is its real path. */
export const treeFolder = (tree: string): string => {
  const digest = createHash('sha256').update(tree).digest('hex').slice(0, 12);
  return join(cacheFolder(), `${basename(tree)}-${digest}`);
};

export const buildFolder = (folder: string, variants: readonly Variant[]): string =>
  join(folder, ['build', ...variants].join('-'));
