// SPDX-License-Identifier: MIT
// What the flags of IOAS_MAP, IOAS_MAP_FILE and IOAS_COPY mean. drivers/iommu/iommufd/ioas.c (conv_iommu_prot).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { MAP_FIXED_IOVA, MAP_READABLE, MAP_WRITEABLE } from '../../../spec/abi/native.ts';
import { U64_MAX } from '../../../spec/abi/units.ts';
import type { Permission } from '../iopt/area.ts';
import type { IovaChoice } from '../iopt/map.ts';
import type { Kernel } from '../kernel.ts';

const KNOWN = MAP_FIXED_IOVA | MAP_WRITEABLE | MAP_READABLE;

/**
 * 0, -EOPNOTSUPP for unknown flags, -EOVERFLOW for an IOVA or length of all ones, -EINVAL without
 * permissions.
 */
export const checkMapFlags = (
  kernel: Kernel,
  flags: number,
  reserved: number,
  numbers: readonly bigint[],
): number => {
  if ((flags & ~KNOWN) !== 0 || reserved !== 0) return -ERRNO.EOPNOTSUPP;
  for (const number of numbers) if (number === U64_MAX) return -ERRNO.EOVERFLOW;
  if ((flags & (MAP_READABLE | MAP_WRITEABLE)) === 0) {
    return kernel.defects.has('map-without-read-write-accepted') ? 0 : -ERRNO.EINVAL;
  }
  return 0;
};

export const iovaChoiceOf = (flags: number, iova: bigint): IovaChoice =>
  (flags & MAP_FIXED_IOVA) !== 0 ? { kind: 'fixed', iova } : { kind: 'chosen' };

export const permissionOf = (flags: number): Permission => ({
  readable: (flags & MAP_READABLE) !== 0,
  writable: (flags & MAP_WRITEABLE) !== 0,
});
