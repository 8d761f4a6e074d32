// SPDX-License-Identifier: MIT
// The package as npm makes it, in an empty project: with the packages that a consumer of the
// library needs, and no other.

import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

const BESIDE = ['ts-pattern', 'fast-check', 'leven', 'valibot'];

const ROOT = process.cwd();

/** Runs a program to its end and gives what it wrote. Throws with that where it fails. */
export const run = (command: string, words: readonly string[], cwd: string): string => {
  const { status, stdout, stderr, error } = spawnSync(command, words, { cwd, encoding: 'utf8' });
  if (status === 0) return stdout;
  throw new Error(`${command} ${words.join(' ')}: ${error?.message ?? `${stdout}${stderr}`}`);
};

/** The folder of a package that this project has installed. */
const installed = (name: string): string => {
  const folders = require.resolve.paths(name) ?? [];
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`${name} is not installed; npm ci installs it.`);
  return found;
};

/** A program of a package that this project has installed. */
export const binary = (name: string, path: string): string => join(installed(name), path);

export type Project = {
  /** The folder, whose node_modules has the package. */
  readonly folder: string;
  /** Paths of the files in the package. */
  readonly files: readonly string[];
  readonly write: (name: string, text: string) => void;
  /** Runs a module of the folder by Node.js. */
  readonly node: (...words: readonly string[]) => string;
  readonly remove: () => void;
};

/** Packs dist/ as it is, and installs it as npm does: unpacked into node_modules. */
export const installedProject = (): Project => {
  const folder = mkdtempSync(join(tmpdir(), 'library-'));
  const modules = join(folder, 'node_modules');
  const home = join(modules, 'iommufd-spec');
  mkdirSync(home, { recursive: true });
  run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], ROOT);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  run('tar', ['-xzf', join(folder, tarball), '-C', home, '--strip-components=1'], folder);
  const listed = run('tar', ['-tzf', join(folder, tarball)], folder)
    .trim()
    .split('\n');
  for (const name of BESIDE) symlinkSync(installed(name), join(modules, name));
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  write('package.json', JSON.stringify({ private: true, type: 'module' }));
  return {
    folder,
    files: listed.map((path) => path.replace(/^package\//, '')),
    write,
    node: (...words) => run(process.execPath, words, folder),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
};
