// SPDX-License-Identifier: MIT
// IOMMU_IOAS_UNMAP. drivers/iommu/iommufd/ioas.c (iommufd_ioas_unmap).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { IOMMU_IOAS_UNMAP } from '../../../spec/abi/native.ts';
import { U64_MAX } from '../../../spec/abi/units.ts';
import { type Command, offsetsOf } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import { Ioas } from '../ioas.ts';
import type { IoPageTable } from '../iopt/io-pagetable.ts';
import { type Unmapped, unmapAll, unmapIova } from '../iopt/unmap.ts';

const AT = offsetsOf(IOMMU_IOAS_UNMAP);

const unmap = (table: IoPageTable, iova: bigint, length: bigint): Unmapped => {
  if (iova === 0n && length === U64_MAX) return unmapAll(table);
  if (iova === U64_MAX || length === U64_MAX) return { error: -ERRNO.EOVERFLOW, bytes: 0n };
  const unmapped = unmapIova(table, iova, length);
  if (unmapped.error === 0 && unmapped.bytes === 0n) return { error: -ERRNO.ENOENT, bytes: 0n };
  return unmapped;
};

export const ioasUnmap = (context: IommufdContext, command: Command): number => {
  const ioas = context.objects.find(command.u32(AT.ioas_id), Ioas);
  if (ioas === undefined) return -ERRNO.ENOENT;
  const { error, bytes } = unmap(ioas.table, command.u64(AT.iova), command.u64(AT.length));
  if (error !== 0) return error;
  command.setU64(AT.length, bytes);
  return command.respond();
};
