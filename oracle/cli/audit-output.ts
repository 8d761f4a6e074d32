// Where an audit goes. One that was interrupted is printed and not written: it would stand where a whole one is wanted.

import { accessSync, constants, mkdirSync } from 'node:fs';
import { EnvironmentError } from '../vm/environment-error.ts';

export const INTERRUPTED_SAYS =
  'interrupted: this is what was found until then, and no file was written';

/** Makes the folder. Throws EnvironmentError, before minutes are spent, where nothing can be written there. */
export const requireFolder = (folder: string): void => {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new EnvironmentError(
      `The audit cannot be written: ${why}. Name another folder with --output.`,
    );
  }
};

/** For machines: a document that says so where it is not whole. */
export const audited = <T extends object>(
  document: T,
  signal: AbortSignal,
): T & { readonly interrupted?: true } =>
  signal.aborted ? { ...document, interrupted: true } : document;
