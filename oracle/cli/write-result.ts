// Writes results to the files that options name. One that cannot be written costs nobody what is still to be printed.

import { writeFileSync } from 'node:fs';
import { EnvironmentError } from '../vm/environment-error.ts';

export const writeResult = (file: string, text: string, option: string): void => {
  try {
    writeFileSync(file, text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new EnvironmentError(
      `The result cannot be written: ${why}. Name another file with ${option}.`,
    );
  }
};

/** Writes each in turn. Gives what fails if one could not be written, to be called behind what is printed. */
export const writeAll = (writes: readonly (() => void)[]): (() => void) => {
  const failures: EnvironmentError[] = [];
  for (const write of writes) {
    try {
      write();
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      failures.push(error);
    }
  }
  return () => {
    if (failures.length === 0) return;
    throw new EnvironmentError(failures.map(({ message }) => message).join('\n'));
  };
};
