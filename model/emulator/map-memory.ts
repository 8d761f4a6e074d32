// SPDX-License-Identifier: MIT
// Maps the program's memory or a file into an IOAS. drivers/iommu/iommufd/io_pagetable.c (iopt_map_user_pages,
// iopt_map_file_pages).

import { ERRNO } from '../../spec/abi/errno.ts';
import { PAGE_SIZE_BYTES } from '../../spec/abi/units.ts';
import type { IommufdContext } from './context.ts';
import type { Ioas } from './ioas.ts';
import type { Permission } from './iopt/area.ts';
import { type IovaChoice, mapParts } from './iopt/map.ts';
import { filePages, type Pages, userPages } from './iopt/pages.ts';
import { lastOf } from './u64.ts';

const mapWhole = (
  ioas: Ioas,
  pages: Pages,
  startByte: bigint,
  length: bigint,
  place: IovaChoice,
  permission: Permission,
): bigint | number =>
  mapParts(ioas.table, [{ pages, startByte, length }], length, place, permission);

/** The IOVA, or -errno with nothing changed. */
export const mapUser = (
  context: IommufdContext,
  ioas: Ioas,
  address: bigint,
  length: bigint,
  place: IovaChoice,
  permission: Permission,
): bigint | number => {
  const { kernel, chargeProcess } = context;
  const pages = userPages(kernel, address, length, permission.writable, chargeProcess);
  if (typeof pages === 'number') return pages;
  return mapWhole(ioas, pages, address % PAGE_SIZE_BYTES, length, place, permission);
};

/** The IOVA, or -errno with nothing changed. */
export const mapFile = (
  context: IommufdContext,
  ioas: Ioas,
  { fd, start }: { readonly fd: number; readonly start: bigint },
  length: bigint,
  place: IovaChoice,
  permission: Permission,
): bigint | number => {
  if (length === 0n) return -ERRNO.EINVAL;
  if (lastOf(start, length) === undefined) return -ERRNO.EOVERFLOW;
  const { kernel, chargeProcess } = context;
  const file = kernel.files.get(fd);
  if (file === undefined) return -ERRNO.EBADF;
  const pages = filePages(kernel, file, start, length, permission.writable, chargeProcess);
  if (typeof pages === 'number') return pages;
  return mapWhole(ioas, pages, start % PAGE_SIZE_BYTES, length, place, permission);
};
