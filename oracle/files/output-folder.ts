// SPDX-License-Identifier: MIT
// A folder of many files that runs write again and again, beside files of others: a list in it names what earlier runs
// wrote, and only that is replaced or removed.

import { lstatSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder } from './make-folder.ts';
import { codeOf } from './reason.ts';
import { saveFile } from './save-file.ts';

/** The list's own name. A path a line, from the folder, in order; lines with # are for people. */
export const LIST = '.written-by-iommufd-spec';
const HEAD = '# Files that iommufd-spec wrote here. It replaces and removes these, and no others.';

/** One folder deep at most, and never out of it. */
const NAME = /^[\w-][\w.-]*(?:\/[\w-][\w.-]*)?$/;

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

const readList = (folder: string): ReadonlySet<string> => {
  let text: string;
  try {
    text = readFileSync(join(folder, LIST), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return new Set();
    throw error;
  }
  const names = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const wrong = names.find((name) => !NAME.test(name));
  if (wrong !== undefined) {
    throw new Error(`${join(folder, LIST)} has "${wrong}", which is no name of a file in it`);
  }
  return new Set(names);
};

export class OutputFolder {
  readonly #folder: string;
  readonly #listed: ReadonlySet<string>;

  /** Throws where the list cannot be read as one. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#listed = readList(folder);
  }

  /** Those of the names that are there, and that no earlier run wrote. */
  foreign(names: Iterable<string>): readonly string[] {
    return [...names].filter(
      (name) => !this.#listed.has(name) && isThere(join(this.#folder, name)),
    );
  }

  /**
   * Writes the files, by their names, and removes those that an earlier run wrote, `isOurs` says are of the same kind, and
   * this one did not. The list is right whenever it ends: it names new files before they are there, and old ones until they
   * are gone. The caller has asked for `foreign` ones.
   */
  async write(
    files: ReadonlyMap<string, string>,
    isOurs: (name: string) => boolean,
    save: (path: string, text: string) => Promise<void> = saveFile,
  ): Promise<void> {
    const stale = [...this.#listed].filter((name) => isOurs(name) && !files.has(name));
    const kept = [...this.#listed].filter((name) => !isOurs(name));
    const saveList = (names: readonly string[]): Promise<void> =>
      save(join(this.#folder, LIST), `${[HEAD, ...[...new Set(names)].sort()].join('\n')}\n`);
    await saveList([...kept, ...stale, ...files.keys()]);
    for (const [name, text] of files) {
      makeFolder(dirname(join(this.#folder, name)));
      await save(join(this.#folder, name), text);
    }
    for (const name of stale) this.#remove(join(this.#folder, name));
    await saveList([...kept, ...files.keys()]);
  }

  #remove(path: string): void {
    if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === true) rmSync(path);
  }
}
