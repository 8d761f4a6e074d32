// SPDX-License-Identifier: MIT
// The saved bytes are not those of an exploration.

export class BadSaved extends Error {
  /** The index of the bad one among several, from 0. */
  readonly which: number;

  constructor(what: string, which = 0) {
    super(what);
    this.name = 'BadSaved';
    this.which = which;
  }
}
