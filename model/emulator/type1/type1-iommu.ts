// SPDX-License-Identifier: MIT
// The IOMMU that SET_IOMMU gives a container: its dmas, its domains and its groups.
// drivers/vfio/vfio_iommu_type1.c (struct vfio_iommu).

import { PAGE_SIZE_BYTES, U64_MAX } from '../../../spec/abi/units.ts';
import type { IovaRange } from '../../../spec/terms/platform.ts';
import type { Kernel } from '../kernel.ts';
import { trailingZeros } from '../u64.ts';
import type { VfioGroup } from '../vfio/vfio-group.ts';
import { DirtyBitmap } from './dirty-bitmap.ts';
import { type Dma, DmaTree } from './dma.ts';
import { unmapAndUnpin } from './map-pages.ts';
import type { Type1Domain } from './type1-domain.ts';

const BELOW_PAGE = PAGE_SIZE_BYTES - 1n;

export class Type1Iommu {
  readonly kernel: Kernel;
  /** v2: dmas are never cut. */
  readonly version2: boolean;
  /** SET_IOMMU asked for nesting domains. */
  readonly nesting: boolean;
  readonly dmas: DmaTree;
  /** The latest first. */
  domains: Type1Domain[] = [];
  /** Groups without an IOMMU. */
  emulated: VfioGroup[] = [];
  /** IOVAs that may be mapped. Empty until a group with an IOMMU joins; until then all may. */
  iovas: readonly IovaRange[] = [];
  /** Dmas that may still be made. */
  available: number;
  /** Dmas with an invalid vaddr. */
  invalidAddresses = 0;
  tracksDirty = false;
  /** Groups that write to memory without reporting it. */
  unreportedWriters = 0;
  #pageSizes = U64_MAX & ~BELOW_PAGE;

  constructor(kernel: Kernel, version2: boolean, nesting: boolean) {
    this.kernel = kernel;
    this.version2 = version2;
    this.nesting = nesting;
    const { type1 } = kernel.release;
    this.dmas = new DmaTree(type1.findDmaWraps || kernel.defects.has('type1-end-of-all-not-seen'));
    this.available = kernel.platform.dmaEntryLimit;
  }

  /** Whether vaddrs may be updated: not if an access could use an old one. */
  get mayMoveAddresses(): boolean {
    return (
      this.emulated.length === 0 || this.kernel.defects.has('type1-addresses-move-under-mdevs')
    );
  }

  /** Ranges that wrap have an errno for it. */
  get reportsOverflow(): boolean {
    const { release, defects } = this.kernel;
    return release.type1.reportsOverflow && !defects.has('type1-overflow-not-reported');
  }

  /** Bitmap of the page sizes that every domain has. */
  get pageSizes(): bigint {
    return this.#pageSizes;
  }

  /** The smallest page, in bytes and as a shift. */
  get granule(): bigint {
    return 1n << BigInt(this.shift);
  }

  get shift(): number {
    return trailingZeros(this.#pageSizes);
  }

  updatePageSizes(): void {
    let sizes = U64_MAX;
    for (const { hardware } of this.domains) sizes &= hardware.pageSizes;
    this.#pageSizes = (sizes & BELOW_PAGE) === 0n ? sizes : (sizes & ~BELOW_PAGE) | PAGE_SIZE_BYTES;
  }

  /** Removes a dma, and its charge. */
  remove(dma: Dma): void {
    const { defects, accounts } = this.kernel;
    const unlocked = unmapAndUnpin(this.kernel, this.domains, dma);
    if (!defects.has('type1-charge-not-returned')) accounts.unlock(unlocked);
    this.dmas.remove(dma);
    if (dma.vaddrInvalid && !defects.has('type1-invalid-address-still-counted')) {
      this.invalidAddresses -= 1;
    }
    if (!defects.has('type1-entry-not-returned')) this.available += 1;
  }

  removeAll(): void {
    for (const dma of this.dmas) this.remove(dma);
  }

  /** Unpins every dma and keeps it, for groups without an IOMMU. */
  unpinAll(): void {
    for (const dma of this.dmas) {
      this.kernel.accounts.unlock(unmapAndUnpin(this.kernel, this.domains, dma));
    }
  }

  /** Marks every page of every dma dirty. */
  dirtyAll(): void {
    for (const dma of this.dmas) dma.bitmap?.setFirst(this.pagesOf(dma));
  }

  pagesOf({ size }: Dma): number {
    return Number(size >> BigInt(this.shift));
  }

  newBitmap(): DirtyBitmap {
    return new DirtyBitmap();
  }
}
