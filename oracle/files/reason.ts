// SPDX-License-Identifier: MIT
// Why a file could not be written or read, in words: the system's own, without the call that failed.

import { getSystemErrorMap } from 'node:util';

export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

/** "no space left on device (ENOSPC)"; the message of any other error. */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const { errno, code } = error as NodeJS.ErrnoException;
  const [, words] = (errno === undefined ? undefined : getSystemErrorMap().get(errno)) ?? [];
  return words === undefined ? error.message : `${words} (${code})`;
};
