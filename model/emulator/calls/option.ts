// SPDX-License-Identifier: MIT
// IOMMU_OPTION: how pinned pages are charged, and whether an IOAS uses large pages. drivers/iommu/iommufd/main.c
// (iommufd_option), ioas.c.

import { ERRNO } from '../../../spec/abi/errno.ts';
import {
  IOMMU_OPTION,
  OPTION_HUGE_PAGES,
  OPTION_OP_GET,
  OPTION_OP_SET,
  OPTION_RLIMIT_MODE,
} from '../../../spec/abi/native.ts';
import { type Command, offsetsOf } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import { Ioas } from '../ioas.ts';

const AT = offsetsOf(IOMMU_OPTION);

const setRlimitMode = (context: IommufdContext, value: bigint): number => {
  if (!context.kernel.credentials.privileged) return -ERRNO.EPERM;
  if (!context.objects.empty) return -ERRNO.EBUSY;
  if (value !== 0n && value !== 1n) return -ERRNO.EINVAL;
  context.chargeProcess = value === 1n;
  return 0;
};

const rlimitMode = (context: IommufdContext, command: Command): number => {
  if (command.u32(AT.object_id) !== 0) return -ERRNO.EOPNOTSUPP;
  switch (command.u16(AT.op)) {
    case OPTION_OP_GET:
      command.setU64(AT.val64, context.chargeProcess ? 1n : 0n);
      return 0;
    case OPTION_OP_SET:
      return setRlimitMode(context, command.u64(AT.val64));
    default:
      return -ERRNO.EOPNOTSUPP;
  }
};

const setHugePages = (ioas: Ioas, value: bigint): number => {
  if (value === 0n) return ioas.table.disableLargePages();
  if (value !== 1n) return -ERRNO.EINVAL;
  ioas.table.enableLargePages();
  return 0;
};

const hugePages = (context: IommufdContext, command: Command): number => {
  const ioas = context.objects.find(command.u32(AT.object_id), Ioas);
  if (ioas === undefined) return -ERRNO.ENOENT;
  switch (command.u16(AT.op)) {
    case OPTION_OP_GET:
      command.setU64(AT.val64, ioas.table.smallPagesOnly ? 0n : 1n);
      return 0;
    case OPTION_OP_SET:
      return setHugePages(ioas, command.u64(AT.val64));
    default:
      return -ERRNO.EOPNOTSUPP;
  }
};

export const option = (context: IommufdContext, command: Command): number => {
  if (command.u16(AT.__reserved) !== 0) return -ERRNO.EOPNOTSUPP;
  let error: number;
  switch (command.u32(AT.option_id)) {
    case OPTION_RLIMIT_MODE:
      error = rlimitMode(context, command);
      break;
    case OPTION_HUGE_PAGES:
      error = hugePages(context, command);
      break;
    default:
      return -ERRNO.EOPNOTSUPP;
  }
  return error === 0 ? command.respondU64(AT.val64) : error;
};
