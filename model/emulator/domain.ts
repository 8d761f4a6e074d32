// SPDX-License-Identifier: MIT
// An IOMMU as the emulated platform has it, and a domain of one. drivers/iommu/iommu.c.

import { ERRNO } from '../../spec/abi/errno.ts';
import { PAGE_SIZE } from '../../spec/abi/units.ts';
import type { IovaRange } from '../../spec/terms/platform.ts';
import type { Permission } from './iopt/area.ts';
import { PageTable, type Walked } from './page-table.ts';
import { trailingZeros } from './u64.ts';

/** What domains of one kind have in common. `owner` is the IOMMU whose devices may use them. */
export type Hardware = {
  readonly owner: object;
  /** Bitmap of page sizes. */
  readonly pageSizes: bigint;
  readonly aperture: IovaRange;
  readonly enforcesCacheCoherency: boolean;
  /** A page table entry without read and write permission would be none: such a map is refused. */
  readonly needsPermission: boolean;
  /** Entries cannot let a device write and not read. */
  readonly readsWhereItWrites: boolean;
  /** The mock: domains can be parents of nested ones, track dirty pages, and be probed. */
  readonly mock: boolean;
  /** A domain says that it ends at its first byte until a device has been attached to it. */
  readonly sizedByAttaching?: true;
  /** No hardware walks its page tables, so that a device takes any, and can ask for nothing special. */
  readonly unwalked?: true;
};

export class Domain {
  readonly hardware: Hardware;
  readonly dirtyTracking: boolean;
  readonly table: PageTable;
  /** The least alignment of what is mapped, in bytes. */
  readonly granule: bigint;
  /** The IOTLB: what devices have reached, by the page's IOVA. */
  readonly #reached = new Map<bigint, Walked>();
  readonly #flushes: boolean;

  /** `flushes`: the IOTLB drops what is unmapped. */
  constructor(hardware: Hardware, dirtyTracking: boolean, flushes = true) {
    this.#flushes = flushes;
    this.hardware = hardware;
    this.dirtyTracking = dirtyTracking;
    this.table = new PageTable(hardware.pageSizes, hardware.aperture);
    this.granule = 1n << BigInt(trailingZeros(hardware.pageSizes));
  }

  /**
   * Maps memory that is contiguous. 0, or -errno with nothing changed. `small`: in units of the machine's
   * pages at most, so that any of them can be unmapped alone.
   */
  map(iova: bigint, physical: number, length: number, wanted: Permission, small: boolean): number {
    if (this.hardware.needsPermission && !wanted.readable && !wanted.writable) {
      return -ERRNO.EINVAL;
    }
    const permission =
      wanted.writable && this.hardware.readsWhereItWrites ? { ...wanted, readable: true } : wanted;
    if (!small) {
      this.table.map(iova, physical, length, permission);
      return 0;
    }
    for (let done = 0; done < length; done += PAGE_SIZE) {
      this.table.map(iova + BigInt(done), physical + done, PAGE_SIZE, permission);
    }
    return 0;
  }

  unmap(iova: bigint, length: bigint): void {
    this.table.unmap(iova, length);
    if (this.#flushes) this.#reached.clear();
  }

  /** What a device reaches at the IOVA, which stays in the IOTLB; undefined where nothing is mapped. */
  reach(iova: bigint): Walked | undefined {
    const inside = iova % this.granule;
    const page = iova - inside;
    const walked = this.#reached.get(page) ?? this.table.walk(page);
    if (walked === undefined) return undefined;
    this.#reached.set(page, walked);
    return { ...walked, physical: walked.physical + Number(inside) };
  }

  /** The frame at an IOVA, or undefined where nothing is mapped. */
  frame(iova: bigint): number | undefined {
    const physical = this.table.translate(iova);
    return physical === undefined ? undefined : Math.floor(physical / PAGE_SIZE);
  }
}
