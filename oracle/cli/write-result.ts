// Writes a result to the file that an option names.

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
