// SPDX-License-Identifier: MIT
// The page table of an IOMMU: a radix tree from IOVA to physical address, with 512 entries per
// table. An entry maps a page of any size that the IOMMU has; a size between two levels fills
// several entries in a row. drivers/iommu/iommu.c (iommu_map, iommu_unmap),
// drivers/iommu/generic_pt/iommu_pt.h.

import type { IovaRange } from '../../spec/terms/platform.ts';
import { MachineDied } from '../machine/machine.ts';
import type { Permission } from './iopt/area.ts';
import { trailingZeros } from './u64.ts';

const LEVEL_BITS = 9;
const ENTRIES = 1 << LEVEL_BITS;

class Entry {
  /** The page's start, in units of the smallest page. */
  readonly unit: number;
  /** The page's length, in the same units. */
  readonly units: number;
  /** Byte address in physical memory. */
  readonly physical: number;
  readonly permission: Permission;
  /** Whether a device wrote through it; set by hardware. */
  dirty = false;

  constructor(unit: number, units: number, physical: number, permission: Permission) {
    this.unit = unit;
    this.units = units;
    this.physical = physical;
    this.permission = permission;
  }
}

class Table {
  readonly slots: (Table | Entry | undefined)[] = [];
}

/** One page table entry. Lengths in bytes. */
export type Mapped = {
  readonly iova: bigint;
  readonly length: number;
  readonly physical: number;
  readonly permission: Permission;
};

/** IOVAs, both ends inclusive. */
type Span = { readonly start: bigint; readonly last: bigint };

/** The translation of an IOVA. */
export type Walked = { readonly physical: number; readonly permission: Permission };

type PageSize = { readonly units: number; readonly bytes: number; readonly level: number };

const MOST_BITS = 53;

/** The page sizes that a table of so many levels can map, the largest first. */
const sizesFor = (pageSizes: bigint, levels: number): readonly PageSize[] => {
  const smallest = trailingZeros(pageSizes);
  const sizes: PageSize[] = [];
  for (let bit = smallest; bit < MOST_BITS && pageSizes >> BigInt(bit) !== 0n; bit += 1) {
    const level = Math.floor((bit - smallest) / LEVEL_BITS);
    if ((pageSizes & (1n << BigInt(bit))) === 0n || level >= levels) continue;
    sizes.unshift({ units: 2 ** (bit - smallest), bytes: 2 ** bit, level });
  }
  return sizes;
};

/** By levels and bitmap: tables are made often, and of few kinds. */
const knownSizes: Map<bigint, readonly PageSize[]>[] = [];

const sizesOf = (pageSizes: bigint, levels: number): readonly PageSize[] => {
  knownSizes[levels] ??= new Map();
  const known = knownSizes[levels];
  const sizes = known.get(pageSizes) ?? sizesFor(pageSizes, levels);
  known.set(pageSizes, sizes);
  return sizes;
};

export class PageTable {
  readonly #shift: bigint;
  readonly #unitBytes: number;
  /** Descending. */
  readonly #sizes: readonly PageSize[];
  readonly #levels: number;
  readonly #root = new Table();

  /** `pageSizes` is a bitmap; IOVAs outside the aperture cannot be mapped. */
  constructor(pageSizes: bigint, aperture: IovaRange) {
    const smallest = trailingZeros(pageSizes);
    this.#shift = BigInt(smallest);
    this.#unitBytes = 2 ** smallest;
    const bits = ((aperture.last >> this.#shift) + 1n).toString(2).length;
    if (bits > MOST_BITS)
      throw new Error('the aperture has more pages than a page table can number');
    this.#levels = Math.max(1, Math.ceil(bits / LEVEL_BITS));
    this.#sizes = sizesOf(pageSizes, this.#levels);
  }

  /** Maps with the largest pages that fit. All arguments are multiples of the smallest page. */
  map(iova: bigint, physical: number, length: number, permission: Permission): void {
    let unit = Number(iova >> this.#shift);
    let address = physical;
    let left = length;
    while (left > 0) {
      const size = this.#fitting(unit, address, left);
      this.#place(new Entry(unit, size.units, address, permission), size);
      unit += size.units;
      address += size.bytes;
      left -= size.bytes;
    }
  }

  /** Pages are unmapped whole. Tables that become empty stay. */
  unmap(iova: bigint, length: bigint): void {
    const first = Number(iova >> this.#shift);
    const end = first + Number(length >> this.#shift);
    this.#clear(this.#root, this.#levels - 1, 0, first, end);
  }

  /** The physical address, or undefined if nothing is mapped. */
  translate(iova: bigint): number | undefined {
    return this.walk(iova)?.physical;
  }

  /** The physical address and the permissions, or undefined if nothing is mapped. */
  walk(iova: bigint): Walked | undefined {
    const unit = Number(iova >> this.#shift);
    const entry = this.#find(unit);
    if (entry === undefined) return undefined;
    const inside = Number(iova & (BigInt(this.#unitBytes) - 1n));
    const physical = entry.physical + (unit - entry.unit) * this.#unitBytes + inside;
    return { physical, permission: entry.permission };
  }

  /** Marks the entry of the IOVA dirty, if something is mapped there. */
  markDirty(iova: bigint): void {
    const unit = Number(iova >> this.#shift);
    const entry = this.#find(unit);
    // After the aperture the index wraps, so that the entry may be another one.
    if (entry !== undefined && unit >= entry.unit && unit - entry.unit < entry.units) {
      entry.dirty = true;
    }
  }

  /** The dirty entries that [start, last] overlaps, whole; `clean` clears them. */
  *dirtyEntries(start: bigint, last: bigint, clean: boolean): Generator<Span> {
    const end = Number(last >> this.#shift);
    for (let unit = Number(start >> this.#shift); unit <= end; ) {
      const entry = this.#find(unit);
      unit = entry === undefined ? unit + 1 : entry.unit + entry.units;
      if (entry?.dirty !== true) continue;
      entry.dirty = !clean;
      const iova = BigInt(entry.unit) << this.#shift;
      yield { start: iova, last: iova + BigInt(entry.units * this.#unitBytes) - 1n };
    }
  }

  #find(unit: number): Entry | undefined {
    let table = this.#root;
    for (let level = this.#levels - 1; level >= 0; level -= 1) {
      const slot = table.slots[Math.floor(unit / 2 ** (LEVEL_BITS * level)) % ENTRIES];
      if (slot === undefined || slot instanceof Entry) return slot;
      table = slot;
    }
    return undefined;
  }

  /** Every entry in ascending order. */
  *[Symbol.iterator](): Iterator<Mapped> {
    for (const entry of this.#entries(this.#root)) {
      yield {
        iova: BigInt(entry.unit) << this.#shift,
        length: entry.units * this.#unitBytes,
        physical: entry.physical,
        permission: entry.permission,
      };
    }
  }

  #fitting(unit: number, physical: number, left: number): PageSize {
    for (const size of this.#sizes) {
      if (size.bytes <= left && unit % size.units === 0 && physical % size.bytes === 0) return size;
    }
    throw new MachineDied(
      'a mapping is not made of whole pages of its domain: alignment went unchecked',
    );
  }

  /** An entry that was mapped there is lost: the later map wins. */
  #place(entry: Entry, size: PageSize): void {
    let table = this.#root;
    for (let level = this.#levels - 1; level > size.level; level -= 1) {
      const index = Math.floor(entry.unit / 2 ** (LEVEL_BITS * level)) % ENTRIES;
      let next = table.slots[index];
      if (!(next instanceof Table)) {
        next = new Table();
        table.slots[index] = next;
      }
      table = next;
    }
    const step = 2 ** (LEVEL_BITS * size.level);
    const index = Math.floor(entry.unit / step) % ENTRIES;
    const end = index + size.units / step;
    for (let slot = index; slot < end; slot += 1) table.slots[slot] = entry;
  }

  /** Clears units [first, end) below a table that starts at `base`. */
  #clear(table: Table, level: number, base: number, first: number, end: number): void {
    const step = 2 ** (LEVEL_BITS * level);
    const from = Math.max(0, Math.floor((first - base) / step));
    const to = Math.min(ENTRIES - 1, Math.floor((end - 1 - base) / step));
    for (let index = from; index <= to; index += 1) {
      const slot = table.slots[index];
      if (slot instanceof Table) this.#clear(slot, level - 1, base + index * step, first, end);
      else table.slots[index] = undefined;
    }
  }

  *#entries(table: Table): Generator<Entry> {
    let previous: Entry | undefined;
    for (const slot of table.slots) {
      if (slot === undefined || slot === previous) continue;
      if (slot instanceof Entry) {
        previous = slot;
        yield slot;
      } else {
        yield* this.#entries(slot);
      }
    }
  }
}
