// SPDX-License-Identifier: MIT
// A domain of a legacy container and the groups that are attached to it. drivers/vfio/vfio_iommu_type1.c
// (struct vfio_domain); drivers/iommu/iommu.c (iommu_map).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { PAGE_SIZE } from '../../../spec/abi/units.ts';
import { Domain, type Hardware } from '../domain.ts';
import type { Permission } from '../iopt/area.ts';
import type { VfioGroup } from '../vfio/vfio-group.ts';
import type { Run } from './pin-pages.ts';

const PAGE = BigInt(PAGE_SIZE);

export class Type1Domain {
  readonly domain: Domain;
  readonly groups: VfioGroup[] = [];

  constructor(hardware: Hardware) {
    this.domain = new Domain(hardware, false);
  }

  get hardware(): Hardware {
    return this.domain.hardware;
  }

  /** 0, or -errno with nothing changed: `beyond` if the IOVAs are outside the aperture. */
  map(iova: bigint, { first, count }: Run, permission: Permission, beyond: number): number {
    const { aperture } = this.hardware;
    const length = BigInt(count) * PAGE;
    if (iova < aperture.start || iova + length - 1n > aperture.last) return -beyond;
    const physical = BigInt(first) * PAGE;
    if (((iova | physical | length) & (this.domain.granule - 1n)) !== 0n) return -ERRNO.EINVAL;
    return this.domain.map(iova, first * PAGE_SIZE, count * PAGE_SIZE, permission, false);
  }

  unmap(iova: bigint, length: bigint): void {
    this.domain.unmap(iova, length);
  }

  /** The contiguous frames from `iova`, at most `pages`. Undefined if nothing is mapped. */
  run(iova: bigint, pages: number): Run | undefined {
    const first = this.frame(iova);
    if (first === undefined) return undefined;
    let count = 1;
    while (count < pages && this.frame(iova + BigInt(count) * PAGE) === first + count) count += 1;
    return { first, count };
  }

  /** The frame at an IOVA; undefined outside the aperture. */
  frame(iova: bigint): number | undefined {
    const { aperture } = this.hardware;
    return iova < aperture.start || iova > aperture.last ? undefined : this.domain.frame(iova);
  }
}
