// SPDX-License-Identifier: MIT
// The I/O page table of an IOAS: its areas, reserved and allowed IOVAs, domains and accesses.
// drivers/iommu/iommufd/io_pagetable.c (struct io_pagetable).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { PAGE_SIZE_BYTES, U64_MAX } from '../../../spec/abi/units.ts';
import type { IovaRange } from '../../../spec/terms/platform.ts';
import { MachineDied } from '../../machine/machine.ts';
import type { Domain } from '../domain.ts';
import type { Kernel } from '../kernel.ts';
import { AccessList, type TableAccess } from './access-list.ts';
import { AreaTree } from './area-tree.ts';
import { fillDomain, unfillSpare, unfillStorage } from './fill.ts';
import { AllowedRanges, ReservedRanges } from './reserved.ts';

const maximum = (a: bigint, b: bigint): bigint => (a > b ? a : b);

export class IoPageTable {
  readonly kernel: Kernel;
  readonly areas = new AreaTree();
  readonly reserved = new ReservedRanges();
  allowed = new AllowedRanges();
  readonly domains: Domain[] = [];
  readonly accesses = new AccessList();
  /** No page table entry is larger than a page, so that areas can be cut. */
  smallPagesOnly = false;
  /** IOVAs, lengths and offsets must be multiples of this, in bytes. */
  alignment = 1n;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** 0, or -EADDRINUSE. */
  reserve(start: bigint, last: bigint, owner: object | undefined): number {
    if (this.areas.first(start, last) !== undefined || this.allowed.meets(start, last)) {
      return -ERRNO.EADDRINUSE;
    }
    this.reserved.add(start, last, owner);
    return 0;
  }

  /**
   * Reserves the ranges that the device does not translate. 0, or -EADDRINUSE with nothing reserved
   * for it.
   */
  reserveForDevice(ranges: readonly IovaRange[], owner: object): number {
    if (this.kernel.defects.has('reserved-region-not-enforced')) return 0;
    for (const { start, last } of ranges) {
      const error = this.reserve(start, last, owner);
      if (error !== 0) {
        this.reserved.removeOf(owner);
        return error;
      }
    }
    return 0;
  }

  /** Replaces the allowed ranges. 0, or -EADDRINUSE with nothing changed. */
  allow(ranges: AllowedRanges): number {
    for (const { start, last } of ranges.ranges()) {
      if (this.reserved.meets(start, last)) return -ERRNO.EADDRINUSE;
    }
    this.allowed = ranges;
    return 0;
  }

  /** Fills a new domain with all areas. 0, or -errno with nothing changed. */
  addDomain(domain: Domain): number {
    const alignment = maximum(domain.granule, this.alignment);
    if (alignment > PAGE_SIZE_BYTES) return -ERRNO.EINVAL;
    if (alignment !== this.alignment && !this.#areasAreAligned(alignment)) {
      return -ERRNO.EADDRINUSE;
    }
    let error = this.#reserveOutside(domain);
    if (error === 0) error = this.#fill(domain);
    if (error !== 0) {
      this.reserved.removeOf(domain);
      return error;
    }
    this.alignment = alignment;
    this.domains.push(domain);
    return 0;
  }

  removeDomain(domain: Domain): void {
    const index = this.domains.indexOf(domain);
    if (index < 0) throw new MachineDied('a domain leaves an I/O page table that it was not in');
    const tail = this.domains.pop() as Domain;
    if (tail !== domain) this.domains[index] = tail;
    const [remaining] = this.domains;
    for (const area of this.areas) {
      if (remaining !== undefined) unfillSpare(area, domain, remaining);
      else unfillStorage(area);
    }
    this.reserved.removeOf(domain);
    this.#recalculate();
  }

  /** 0, or -EADDRINUSE if the access cannot use the areas. */
  addAccess(access: TableAccess): number {
    const number = this.accesses.add(access);
    const error = this.#recalculate();
    if (error !== 0) this.accesses.remove(number);
    if (error === 0 || this.kernel.defects.has('access-number-overwritten')) {
      access.listNumber = number;
    }
    return error;
  }

  removeAccess(number: number): void {
    this.accesses.remove(number);
    this.#recalculate();
  }

  enableLargePages(): void {
    this.smallPagesOnly = false;
    this.#recalculate();
  }

  /** 0, -EINVAL if a domain maps an area, or -EADDRINUSE if an area is not whole pages. */
  disableLargePages(): number {
    if (this.smallPagesOnly) return 0;
    if (this.domains.length > 0 && this.areas.size > 0) return -ERRNO.EINVAL;
    this.smallPagesOnly = true;
    const error = this.#recalculate();
    if (error !== 0) this.smallPagesOnly = false;
    return error;
  }

  #reserveOutside(domain: Domain): number {
    const { start, last } = domain.hardware.aperture;
    if (start !== 0n) {
      const error = this.reserve(0n, start - 1n, domain);
      if (error !== 0) return error;
    }
    if (last === U64_MAX) return 0;
    const first = last + (this.kernel.defects.has('aperture-end-off-by-one') ? 2n : 1n);
    return this.reserve(first, U64_MAX, domain);
  }

  #fill(domain: Domain): number {
    if (this.kernel.defects.has('domain-fill-forgets-areas')) return 0;
    const wasEmpty = this.domains.length === 0;
    for (const area of this.areas) {
      const error = fillDomain(area, domain, this.smallPagesOnly);
      if (error === 0) continue;
      for (const filled of this.areas) {
        if (filled === area) break;
        if (wasEmpty) unfillStorage(filled);
        else domain.unmap(filled.start, filled.length);
      }
      return error;
    }
    return 0;
  }

  #areasAreAligned(alignment: bigint): boolean {
    const mask = alignment - 1n;
    for (const area of this.areas) {
      const bits = area.start | area.length | BigInt(area.pageOffset);
      if ((bits & mask) !== 0n) return false;
    }
    return true;
  }

  /**
   * Computes the alignment from the domains and accesses. 0, or -EADDRINUSE with nothing changed.
   */
  #recalculate(): number {
    let alignment = this.smallPagesOnly ? PAGE_SIZE_BYTES : 1n;
    for (const domain of this.domains) alignment = maximum(alignment, domain.granule);
    for (const access of this.accesses) alignment = maximum(alignment, access.alignment);
    if (alignment > this.alignment && !this.#areasAreAligned(alignment)) return -ERRNO.EADDRINUSE;
    if (alignment < this.alignment && this.kernel.defects.has('alignment-not-recalculated'))
      return 0;
    this.alignment = alignment;
    return 0;
  }
}
