// SPDX-License-Identifier: MIT
// An IOMMU group: devices that share one translation, and the owner of their DMA.
// drivers/iommu/iommu.c (iommu_device_claim_dma_owner).

import { ERRNO } from '../../spec/abi/errno.ts';

export class IommuGroup {
  #owner: object | undefined;
  #claims = 0;

  get claimed(): boolean {
    return this.#claims > 0;
  }

  /** 0, or -EPERM if the group has another owner. */
  claim(owner: object): number {
    if (this.#claims > 0 && this.#owner !== owner) return -ERRNO.EPERM;
    this.#owner = owner;
    this.#claims += 1;
    return 0;
  }

  release(): void {
    this.#claims -= 1;
    if (this.#claims === 0) this.#owner = undefined;
  }
}
