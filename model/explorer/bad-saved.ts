// SPDX-License-Identifier: MIT
// What was saved is not what an exploration saves.

export class BadSaved extends Error {
  /** Which of several, from 0. */
  readonly which: number;

  constructor(what: string, which = 0) {
    super(what);
    this.name = 'BadSaved';
    this.which = which;
  }
}
