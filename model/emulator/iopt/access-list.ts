// SPDX-License-Identifier: MIT
// The accesses of an I/O page table by number, like the kernel's xarray.
// drivers/iommu/iommufd/io_pagetable.c (iopt_add_access, iopt_remove_access).

/** An access of the IOAS, as its I/O page table sees it. */
export type TableAccess = {
  readonly alignment: bigint;
  /** Its number in the list that it is in. */
  listNumber: number;
  /** [start, start + length) is being unmapped: unpin what is pinned there. */
  unmapped(start: bigint, length: bigint): void;
};

export class AccessList {
  readonly #slots: (TableAccess | undefined)[] = [];

  /** Adds the access under the lowest free number, and returns the number. */
  add(access: TableAccess): number {
    let number = this.#slots.indexOf(undefined);
    if (number < 0) number = this.#slots.length;
    this.#slots[number] = access;
    return number;
  }

  remove(number: number): void {
    this.#slots[number] = undefined;
  }

  get empty(): boolean {
    return this.#slots.every((access) => access === undefined);
  }

  *[Symbol.iterator](): Generator<TableAccess> {
    for (const access of this.#slots) if (access !== undefined) yield access;
  }
}
