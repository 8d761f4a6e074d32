// SPDX-License-Identifier: MIT
// Writes results to the files that options name. If one cannot be written, the others still are, and all is printed.

import { reasonOf } from '../files/reason.ts';
import { type Content, saveFile } from '../files/save-file.ts';
import { EnvironmentError } from '../vm/environment-error.ts';

/** Rejects with an EnvironmentError that names the file, the reason, and the option for another file. */
export const writeResult = async (
  file: string,
  content: Content,
  option: string,
  what = 'result',
): Promise<void> => {
  try {
    await saveFile(file, content);
  } catch (error) {
    throw new EnvironmentError(
      `The ${what} cannot be saved: ${file}: ${reasonOf(error)}. Name another file with ${option}.`,
    );
  }
};

export type Written<Name extends string> = {
  readonly isWritten: (name: Name) => boolean;
  /** Throws if something could not be written; call it after the results are printed. */
  readonly failIfUnwritten: () => void;
};

/** Runs each in turn; skips those that are undefined. */
export const writeAll = async <Name extends string>(
  writes: Readonly<Record<Name, (() => Promise<void>) | undefined>>,
): Promise<Written<Name>> => {
  const failures: EnvironmentError[] = [];
  const written = new Set<string>();
  for (const [name, write] of Object.entries<(() => Promise<void>) | undefined>(writes)) {
    try {
      await write?.();
      if (write !== undefined) written.add(name);
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      failures.push(error);
    }
  }
  return {
    isWritten: (name) => written.has(name),
    failIfUnwritten: () => {
      if (failures.length === 0) return;
      throw new EnvironmentError(failures.map(({ message }) => message).join('\n'));
    },
  };
};
