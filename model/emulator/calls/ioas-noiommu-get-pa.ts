// SPDX-License-Identifier: MIT
// IOMMU_IOAS_NOIOMMU_GET_PA: the physical address of an IOVA, for programs that give physical
// addresses to devices without an IOMMU. drivers/iommu/iommufd/ioas.c
// (iommufd_ioas_noiommu_get_pa), io_pagetable.c (iopt_get_phys).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { IOMMU_IOAS_NOIOMMU_GET_PA } from '../../../spec/abi/native.ts';
import { PAGE_SIZE, U64_MAX } from '../../../spec/abi/units.ts';
import { type Command, offsetsOf } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import { Ioas } from '../ioas.ts';
import type { Area } from '../iopt/area.ts';
import type { PageTable } from '../page-table.ts';

const AT = offsetsOf(IOMMU_IOAS_NOIOMMU_GET_PA);
const PAGE = BigInt(PAGE_SIZE);

/** Bytes from the IOVA that are contiguous in memory and in the area, at most `wanted`. */
const contiguous = (table: PageTable, { last }: Area, iova: bigint, wanted: bigint): bigint => {
  const rest = last - iova + 1n;
  const inPage = PAGE - (iova % PAGE);
  let length = inPage < rest ? inPage : rest;
  let at = iova;
  while (length < wanted && at + PAGE <= last) {
    const [here, next] = [table.translate(at), table.translate(at + PAGE)];
    if (here === undefined || next !== here + PAGE_SIZE) break;
    at += PAGE;
    length += PAGE;
  }
  return length < wanted ? length : wanted;
};

export const ioasNoIommuGetPa = (context: IommufdContext, command: Command): number => {
  if (!context.kernel.credentials.privileged) return -ERRNO.EPERM;
  if (command.u32(AT.flags) !== 0 || command.u32(AT.__reserved) !== 0) return -ERRNO.EOPNOTSUPP;
  const wanted = command.u64(AT.length);
  if (wanted === 0n) return -ERRNO.EINVAL;
  const iova = command.u64(AT.iova);
  if (iova === U64_MAX) return -ERRNO.EOVERFLOW;
  const ioas = context.objects.find(command.u32(AT.ioas_id), Ioas);
  const area = ioas?.table.areas.first(iova, iova);
  if (area === undefined) return -ERRNO.ENOENT;
  const { storage } = area;
  if (storage?.hardware.unwalked !== true) return -ERRNO.EOPNOTSUPP;
  command.setU64(AT.out_phys, BigInt(storage.table.translate(iova) ?? 0));
  command.setU64(AT.length, contiguous(storage.table, area, iova, wanted));
  return command.respond();
};
