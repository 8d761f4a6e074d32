// SPDX-License-Identifier: MIT
// An I/O address space object: an I/O page table and the hwpts that map it.
// drivers/iommu/iommufd/ioas.c.

import type { Hwpt } from './hwpt.ts';
import { IoPageTable } from './iopt/io-pagetable.ts';
import { unmapAll } from './iopt/unmap.ts';
import type { Kernel } from './kernel.ts';
import { KernelObject } from './objects.ts';

export class Ioas extends KernelObject {
  readonly table: IoPageTable;
  /** In order of creation. */
  readonly hwpts: Hwpt[] = [];

  constructor(kernel: Kernel) {
    super();
    this.table = new IoPageTable(kernel);
  }

  override destroy(): void {
    unmapAll(this.table);
  }
}
