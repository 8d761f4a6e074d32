// SPDX-License-Identifier: MIT
// Renumbers handles from 0 on, in the order in which they are first used.

export class Numbers {
  readonly #met: number[] = [];

  get size(): number {
    return this.#met.length;
  }

  clear(): void {
    this.#met.length = 0;
  }

  /** A world has few handles: a linear search is faster than a table. */
  of(handle: number): number {
    const known = this.#met.indexOf(handle);
    return known === -1 ? this.#met.push(handle) - 1 : known;
  }

  /** The handle that has the number. */
  at(number: number): number | undefined {
    return this.#met[number];
  }
}
