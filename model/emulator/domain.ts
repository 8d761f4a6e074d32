// SPDX-License-Identifier: MIT
// An IOMMU of the emulated platform, and a domain of it. drivers/iommu/iommu.c.

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
  /**
   * A page table entry without read and write permission is not present, so such a map is refused.
   */
  readonly needsPermission: boolean;
  /** Writable entries are readable, too. */
  readonly readsWhereItWrites: boolean;
  /** The mock: domains can be parents of nested ones, track dirty pages, and be probed. */
  readonly mock: boolean;
  /** A domain reports an aperture of its first byte only until a device is attached to it. */
  readonly sizedByAttaching?: true;
  /**
   * No hardware walks its page tables: any device can attach, and no special domain can be
   * requested.
   */
  readonly unwalked?: true;
};

export class Domain {
  readonly hardware: Hardware;
  readonly dirtyTracking: boolean;
  readonly table: PageTable;
  /** The smallest page, in bytes. */
  readonly granule: bigint;
  /** The IOTLB: what devices have accessed, by the page's IOVA. */
  readonly #reached = new Map<bigint, Walked>();
  readonly #flushes: boolean;

  /** `flushes`: an unmap invalidates the IOTLB. */
  constructor(hardware: Hardware, dirtyTracking: boolean, flushes = true) {
    this.#flushes = flushes;
    this.hardware = hardware;
    this.dirtyTracking = dirtyTracking;
    this.table = new PageTable(hardware.pageSizes, hardware.aperture);
    this.granule = 1n << BigInt(trailingZeros(hardware.pageSizes));
  }

  /**
   * Maps contiguous memory. 0, or -errno with nothing changed. `small`: no entry is larger than the
   * machine's page, so that each page can be unmapped alone.
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

  /**
   * The translation of the IOVA for a device, which stays in the IOTLB; undefined if nothing is
   * mapped.
   */
  reach(iova: bigint): Walked | undefined {
    const inside = iova % this.granule;
    const page = iova - inside;
    const walked = this.#reached.get(page) ?? this.table.walk(page);
    if (walked === undefined) return undefined;
    this.#reached.set(page, walked);
    return { ...walked, physical: walked.physical + Number(inside) };
  }

  /** The frame at an IOVA, or undefined if nothing is mapped. */
  frame(iova: bigint): number | undefined {
    const physical = this.table.translate(iova);
    return physical === undefined ? undefined : Math.floor(physical / PAGE_SIZE);
  }
}
