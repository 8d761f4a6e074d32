// SPDX-License-Identifier: MIT
// The output of an audit. An interrupted audit is printed and not written: it would replace a complete one.

import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../files/make-folder.ts';
import { OutputFolder } from '../files/output-folder.ts';
import { reasonOf } from '../files/reason.ts';
import { listed } from '../text/quantities.ts';
import { EnvironmentError } from '../vm/environment-error.ts';
import { BadUse } from './bad-use.ts';
import { writeResult } from './write-result.ts';

export const INTERRUPTED_SAYS =
  'interrupted: these are the differences found so far; no file was written';

/** Makes the folder. Throws EnvironmentError, before the search begins, if it cannot be written. */
export const requireFolder = (folder: string): void => {
  try {
    makeFolder(folder);
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new EnvironmentError(
      `The audit cannot be saved: ${folder}: ${reasonOf(error)}. Name another folder with --output.`,
    );
  }
};

const folderAt = (folder: string): OutputFolder => {
  try {
    return new OutputFolder(folder);
  } catch (error) {
    throw new BadUse(`${reasonOf(error)}. Name another folder with --output.`);
  }
};

const NAMES_SHOWN = 3;

/** Throws BadUse if files of these names exist that no audit wrote. */
export const requireOwn = (folder: string, names: Iterable<string>): void => {
  const foreign = folderAt(folder).foreign(names);
  if (foreign.length === 0) return;
  const shown = foreign.slice(0, NAMES_SHOWN).map((name) => join(folder, name));
  const more = foreign.length - shown.length;
  throw new BadUse(
    `No audit wrote ${listed(more === 0 ? shown : [...shown, `${more} more`])}, and none replaces it. ` +
      'Move it away, or name another folder with --output.',
  );
};

/** Writes the files, by their names; with `isWhole`, removes the files of rows that earlier audits wrote there. */
export const writeOwn = async (
  folder: string,
  files: ReadonlyMap<string, string>,
  isWhole: boolean,
): Promise<void> => {
  requireOwn(folder, files.keys());
  await folderAt(folder).write(
    files,
    (name) => isWhole && name.includes('/'),
    (path, text) => writeResult(path, text, '--output', 'audit'),
  );
};

/** For machines: one JSON document, which says whether the audit is complete. */
export const audited = <T extends object>(
  document: T,
  signal: AbortSignal,
): T & { readonly interrupted?: true } =>
  signal.aborted ? { ...document, interrupted: true } : document;
