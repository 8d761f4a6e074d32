// SPDX-License-Identifier: MIT
// Reserved and allowed IOVAs: a map avoids the first, a reservation the second.
// drivers/iommu/iommufd/io_pagetable.c (iopt_reserve_iova, iopt_set_allow_iova).

import { U64_MAX } from '../../../spec/abi/units.ts';
import type { IovaRange } from '../../../spec/terms/platform.ts';

type Reservation = IovaRange & { readonly owner: object | undefined };

/** Index of the first of ascending, separate ranges that ends at or after an IOVA. */
const search = (ranges: readonly IovaRange[], iova: bigint): number => {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle] as IovaRange).last < iova) low = middle + 1;
    else high = middle;
  }
  return low;
};

const meets = (ranges: readonly IovaRange[], start: bigint, last: bigint): boolean => {
  const range = ranges[search(ranges, start)];
  return range !== undefined && range.start <= last;
};

/** The same IOVAs as ascending, separate ranges: those that overlap or touch are merged. */
const merged = (ranges: readonly IovaRange[]): readonly IovaRange[] => {
  const result: { start: bigint; last: bigint }[] = [];
  for (const { start, last } of [...ranges].sort((a, b) => (a.start < b.start ? -1 : 1))) {
    const previous = result.at(-1);
    if (previous !== undefined && start <= previous.last + 1n) {
      if (last > previous.last) previous.last = last;
    } else {
      result.push({ start, last });
    }
  }
  return result;
};

export class ReservedRanges {
  #reservations: Reservation[] = [];
  #union: readonly IovaRange[] | undefined = [];

  /** Reservations may overlap; each stays until its owner's are removed. */
  add(start: bigint, last: bigint, owner: object | undefined): void {
    this.#reservations.push({ start, last, owner });
    this.#union = undefined;
  }

  removeOf(owner: object | undefined): void {
    const rest = this.#reservations.filter((reservation) => reservation.owner !== owner);
    if (rest.length === this.#reservations.length) return;
    this.#reservations = rest;
    this.#union = undefined;
  }

  meets(start: bigint, last: bigint): boolean {
    return meets(this.#united(), start, last);
  }

  /** The parts of [start, last] that are not reserved, ascending. */
  *holes(start = 0n, last = U64_MAX): Generator<IovaRange> {
    const union = this.#united();
    let free = start;
    for (let index = search(union, start); index < union.length; index += 1) {
      const range = union[index] as IovaRange;
      if (range.start > last) break;
      if (range.start > free) yield { start: free, last: range.start - 1n };
      free = range.last + 1n;
    }
    if (free <= last) yield { start: free, last };
  }

  #united(): readonly IovaRange[] {
    this.#union ??= merged(this.#reservations);
    return this.#union;
  }
}

export class AllowedRanges {
  readonly #ranges: IovaRange[] = [];

  /** Adds the range unless it overlaps another. Returns whether it did. */
  add(start: bigint, last: bigint): boolean {
    const index = search(this.#ranges, start);
    const next = this.#ranges[index];
    if (next !== undefined && next.start <= last) return false;
    this.#ranges.splice(index, 0, { start, last });
    return true;
  }

  get empty(): boolean {
    return this.#ranges.length === 0;
  }

  meets(start: bigint, last: bigint): boolean {
    return meets(this.#ranges, start, last);
  }

  ranges(): readonly IovaRange[] {
    return this.#ranges;
  }

  /** The allowed parts of [start, last], ascending; ranges that touch are merged. */
  spans(start: bigint, last: bigint): readonly IovaRange[] {
    return merged(this.#ranges)
      .filter((range) => range.last >= start && range.start <= last)
      .map((range) => ({
        start: range.start < start ? start : range.start,
        last: range.last > last ? last : range.last,
      }));
  }
}
