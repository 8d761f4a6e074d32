// SPDX-License-Identifier: MIT
// What this machine lacks for the job: a program, a right, a file. Its message says what to do about it.

export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}
