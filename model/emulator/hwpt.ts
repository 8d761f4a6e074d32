// SPDX-License-Identifier: MIT
// A hardware page table object: a domain that maps the areas of its IOAS.
// drivers/iommu/iommufd/hw_pagetable.c.

import { ERRNO } from '../../spec/abi/errno.ts';
import {
  HWPT_ALLOC_DIRTY_TRACKING,
  HWPT_ALLOC_NEST_PARENT,
  HWPT_ALLOC_PASID,
} from '../../spec/abi/native.ts';
import type { IommufdContext } from './context.ts';
import { Domain } from './domain.ts';
import type { Ioas } from './ioas.ts';
import type { IommufdDevice } from './iommufd-device.ts';
import { KernelObject } from './objects.ts';

/** The flags of a mock domain that every release supports. */
const MOCK_FLAGS = HWPT_ALLOC_NEST_PARENT | HWPT_ALLOC_DIRTY_TRACKING;

export class Hwpt extends KernelObject {
  readonly ioas: Ioas;
  readonly domain: Domain;
  readonly enforcesCacheCoherency: boolean;
  /** Made because a device was attached to the IOAS; destroyed when the last one detaches. */
  automatic = false;
  /** Dirty pages are tracked. */
  tracking = false;
  listed = false;

  constructor(ioas: Ioas, domain: Domain, enforcesCacheCoherency: boolean) {
    super();
    this.ioas = ioas;
    this.domain = domain;
    this.enforcesCacheCoherency = enforcesCacheCoherency;
    ioas.users += 1;
  }

  override destroy(): void {
    if (this.listed) {
      this.ioas.hwpts.splice(this.ioas.hwpts.indexOf(this), 1);
      this.ioas.table.removeDomain(this.domain);
      this.listed = false;
    }
    this.ioas.users -= 1;
  }
}

/**
 * Makes a hwpt for a device, filled with the areas of the IOAS, under a number that is not
 * published yet. `attach`, if given, attaches the device before the domain is filled. -EOPNOTSUPP,
 * or the error of attaching or filling.
 */
export const allocateHwpt = (
  context: IommufdContext,
  ioas: Ioas,
  device: IommufdDevice,
  flags: number,
  attach?: (hwpt: Hwpt) => number,
): Hwpt | number => {
  const { hardware } = device.hardware;
  const takesPasids = context.kernel.release.hwptAllocKnowsPasid && !hardware.unwalked;
  const pasidFlag = takesPasids ? HWPT_ALLOC_PASID : 0;
  const known = (hardware.mock ? MOCK_FLAGS : 0) | pasidFlag;
  if ((flags & ~known) !== 0) return -ERRNO.EOPNOTSUPP;
  const tracksDirty = (flags & HWPT_ALLOC_DIRTY_TRACKING) !== 0;
  if (tracksDirty && !device.hardware.canTrackDirty) return -ERRNO.EOPNOTSUPP;
  const isUnsized = hardware.sizedByAttaching === true && attach === undefined;
  const made = isUnsized ? { ...hardware, aperture: { start: 0n, last: 0n } } : hardware;
  const domain = new Domain(made, tracksDirty, !context.kernel.defects.has('iotlb-not-flushed'));
  const hwpt = context.objects.reserve(new Hwpt(ioas, domain, hardware.enforcesCacheCoherency));
  let error = attach?.(hwpt) ?? 0;
  if (error === 0) {
    error = ioas.table.addDomain(domain);
    if (error !== 0 && attach !== undefined) device.leave();
  }
  if (error !== 0) {
    abortHwpt(context, hwpt);
    return error;
  }
  hwpt.listed = true;
  ioas.hwpts.push(hwpt);
  return hwpt;
};

/** Undoes allocateHwpt. */
export const abortHwpt = (context: IommufdContext, hwpt: Hwpt): void => {
  hwpt.destroy();
  context.objects.free(hwpt);
};
