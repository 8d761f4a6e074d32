// SPDX-License-Identifier: MIT
// What a syzkaller program has that no program of this project has, or that is not understood.

/** The line is added by whoever knows it. */
export class NotCarriedOver extends Error {
  override readonly name = 'NotCarriedOver';
}
