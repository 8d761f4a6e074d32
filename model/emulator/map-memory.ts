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

/** What to map: `length` bytes, at which IOVA and with which permissions. */
type MapRequest = {
  readonly length: bigint;
  readonly choice: IovaChoice;
  readonly permission: Permission;
};

const mapWhole = (
  ioas: Ioas,
  pages: Pages,
  startByte: bigint,
  { length, choice, permission }: MapRequest,
): bigint | number =>
  mapParts(ioas.table, [{ pages, startByte, length }], length, choice, permission);

/** The IOVA, or -errno with nothing changed. */
export const mapUser = (
  context: IommufdContext,
  ioas: Ioas,
  address: bigint,
  request: MapRequest,
): bigint | number => {
  const { kernel, chargeProcess } = context;
  const { length, permission } = request;
  const pages = userPages(kernel, address, length, permission.writable, chargeProcess);
  if (typeof pages === 'number') return pages;
  return mapWhole(ioas, pages, address % PAGE_SIZE_BYTES, request);
};

/** The IOVA, or -errno with nothing changed. */
export const mapFile = (
  context: IommufdContext,
  ioas: Ioas,
  { fd, start }: { readonly fd: number; readonly start: bigint },
  request: MapRequest,
): bigint | number => {
  const { length, permission } = request;
  if (length === 0n) return -ERRNO.EINVAL;
  if (lastOf(start, length) === undefined) return -ERRNO.EOVERFLOW;
  const { kernel, chargeProcess } = context;
  const file = kernel.files.get(fd);
  if (file === undefined) return -ERRNO.EBADF;
  const pages = filePages(kernel, file, start, length, permission.writable, chargeProcess);
  if (typeof pages === 'number') return pages;
  return mapWhole(ioas, pages, start % PAGE_SIZE_BYTES, request);
};
