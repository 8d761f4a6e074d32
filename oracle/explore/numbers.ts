// SPDX-License-Identifier: MIT
// Numbers given out from 0 on in the order in which handles are met, in place of the numbers that they have.

export class Numbers {
  readonly #met: number[] = [];

  get size(): number {
    return this.#met.length;
  }

  clear(): void {
    this.#met.length = 0;
  }

  /** Few are met in one world: looking through them is quicker than a table. */
  of(handle: number): number {
    const known = this.#met.indexOf(handle);
    return known === -1 ? this.#met.push(handle) - 1 : known;
  }

  /** The handle that has the number. */
  at(number: number): number | undefined {
    return this.#met[number];
  }
}
