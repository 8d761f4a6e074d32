// SPDX-License-Identifier: MIT
// Divides an area in two that share its pages, for programs that unmap like VFIO's type1 v1.
// drivers/iommu/iommufd/io_pagetable.c (iopt_area_split, iopt_cut_iova).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { PAGE_SIZE_BYTES } from '../../../spec/abi/units.ts';
import { Area } from './area.ts';
import type { IoPageTable } from './io-pagetable.ts';

/** `iova` becomes the last byte of the left area. 0, or -errno with nothing changed. */
const divide = (table: IoPageTable, area: Area, iova: bigint): number => {
  if (iova === area.start || iova === area.last) return 0;
  if (area.preventAccess) return -ERRNO.EBUSY;
  const mask = table.alignment - 1n;
  let middle = iova + 1n;
  if (((middle | area.startByte(middle)) & mask) !== 0n) return -ERRNO.EINVAL;
  if (area.accesses > 0) return -ERRNO.EINVAL;
  if (area.storage !== undefined && !table.smallPagesOnly) return -ERRNO.EINVAL;
  const { defects } = table.kernel;
  if (defects.has('cut-off-by-one') && middle + PAGE_SIZE_BYTES <= area.last) {
    middle += PAGE_SIZE_BYTES;
  }
  const { pages, permission } = area;
  const left = new Area(pages, area.start, middle - 1n, area.startByte(area.start), permission);
  const right = new Area(pages, middle, area.last, area.startByte(middle), permission);
  pages.get();
  table.areas.remove(area);
  for (const part of [left, right]) {
    part.storage = area.storage;
    table.areas.insert(part);
  }
  if (area.storage !== undefined && !defects.has('stale-interval-after-cut')) {
    pages.domains.remove(area.slice);
    pages.domains.insert(left.slice);
    pages.domains.insert(right.slice);
  }
  return 0;
};

/** Cuts after each of the IOVAs that is in an area. 0, or -errno; earlier cuts stay. */
export const cutAfter = (table: IoPageTable, iovas: readonly bigint[]): number => {
  for (const iova of iovas) {
    const area = table.areas.first(iova, iova);
    if (area === undefined) continue;
    const error = divide(table, area, iova);
    if (error !== 0) return error;
  }
  return 0;
};
