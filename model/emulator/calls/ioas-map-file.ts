// SPDX-License-Identifier: MIT
// IOMMU_IOAS_MAP_FILE. drivers/iommu/iommufd/ioas.c (iommufd_ioas_map_file).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { IOMMU_IOAS_MAP_FILE } from '../../../spec/abi/native.ts';
import { type Command, offsetsOf } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import { Ioas } from '../ioas.ts';
import { mapFile } from '../map-memory.ts';
import { checkMapFlags, iovaChoiceOf, permissionOf } from './map-flags.ts';

const AT = offsetsOf(IOMMU_IOAS_MAP_FILE);

export const ioasMapFile = (context: IommufdContext, command: Command): number => {
  const flags = command.u32(AT.flags);
  const iova = command.u64(AT.iova);
  const length = command.u64(AT.length);
  const bad = checkMapFlags(context.kernel, flags, 0, [iova, length]);
  if (bad !== 0) return bad;
  const ioas = context.objects.find(command.u32(AT.ioas_id), Ioas);
  if (ioas === undefined) return -ERRNO.ENOENT;
  const file = { fd: command.i32(AT.fd), start: command.u64(AT.start) };
  const mapped = mapFile(context, ioas, file, {
    length,
    choice: iovaChoiceOf(flags, iova),
    permission: permissionOf(flags),
  });
  if (typeof mapped === 'number') return mapped;
  command.setU64(AT.iova, mapped);
  return command.respond();
};
