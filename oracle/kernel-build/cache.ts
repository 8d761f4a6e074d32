// SPDX-License-Identifier: MIT
// The cache of sources and builds, outside the checkout.

import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { makeFolder } from '../files/make-folder.ts';
import { reasonOf } from '../files/reason.ts';
import { saveFile } from '../files/save-file.ts';
import { EnvironmentError } from '../vm/environment-error.ts';

/** The fragments on top of the first, which every kernel has. */
export const VARIANTS = ['debug', 'iommufd-container'] as const;

export type Variant = (typeof VARIANTS)[number];

export const cacheFolder = (environment: NodeJS.ProcessEnv = process.env): string => {
  const { XDG_CACHE_HOME: reported } = environment;
  const base = reported === undefined || reported === '' ? join(homedir(), '.cache') : reported;
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

const failed = (path: string, error: unknown): never => {
  throw new EnvironmentError(
    `${path} cannot be written: ${reasonOf(error)}. Set XDG_CACHE_HOME to another folder.`,
  );
};

/** Throws EnvironmentError. */
export const makeCacheFolder = (path: string): void => {
  try {
    makeFolder(path);
  } catch (error) {
    failed(path, error);
  }
};

/** Rejects with EnvironmentError. */
export const saveInCache = (path: string, text: string): Promise<void> =>
  saveFile(path, text).catch((error: unknown) => failed(path, error));
