// SPDX-License-Identifier: MIT
// The random source of generation: fast-check's, so that a seed generates the same program again.

import type { Random } from 'fast-check';
import { U64_MAX } from '../../spec/abi/units.ts';

/** Wraps fast-check's random numbers. */
export class Rng {
  readonly #random: Random;
  /** How many values in eight are likely to make the call succeed. */
  care = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** From `least` to `greatest`, both inclusive. */
  number(least: number, greatest: number): number {
    return this.#random.nextInt(least, greatest);
  }

  /** True with probability `times` / `of`. */
  chance(times: number, of: number): boolean {
    return this.#random.nextInt(1, of) <= times;
  }

  careful(): boolean {
    return this.care > 0 && this.chance(this.care, 8);
  }

  of<T>(values: readonly [T, ...T[]] | readonly T[]): T {
    if (values.length === 0) throw new Error('There is no value to choose from.');
    return values[this.#random.nextInt(0, values.length - 1)] as T;
  }

  u64(): bigint {
    return this.#random.nextBigInt(0n, U64_MAX);
  }
}
