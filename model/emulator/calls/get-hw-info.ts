// SPDX-License-Identifier: MIT
// IOMMU_GET_HW_INFO, for mock devices. drivers/iommu/iommufd/device.c (iommufd_get_hw_info), drivers/iommu/iommufd/selftest.c
// (mock_domain_hw_info).

import { ERRNO } from '../../../spec/abi/errno.ts';
import {
  HW_CAP_DIRTY_TRACKING,
  HW_CAP_PCI_ATS_NOT_SUPPORTED,
  HW_INFO_FLAG_INPUT_TYPE,
  IOMMU_GET_HW_INFO,
} from '../../../spec/abi/native.ts';
import {
  HW_INFO_TYPE_SELFTEST,
  SELFTEST_HW_INFO,
  SELFTEST_HW_INFO_REGISTER,
} from '../../../spec/abi/test.ts';
import { type Command, offsetsOf, Struct } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import { IommufdDevice } from '../iommufd-device.ts';

const AT = offsetsOf(IOMMU_GET_HW_INFO);
const INFO = offsetsOf(SELFTEST_HW_INFO);
/** The bytes after out_max_pasid_log2. */
const RESERVED_BYTES = [1, 2, 3].map((byte) => AT.__reserved + byte);

/** Zeros are written page by page, so that a huge length needs no memory here. */
const CHUNK = 4096;

const clear = (context: IommufdContext, address: bigint, length: number): boolean => {
  const zeros = new Uint8Array(Math.min(length, CHUNK));
  for (let done = 0; done < length; done += CHUNK) {
    const part = zeros.subarray(0, Math.min(CHUNK, length - done));
    if (!context.kernel.user.write(address + BigInt(done), part)) return false;
  }
  return true;
};

export const getHwInfo = (context: IommufdContext, command: Command): number => {
  const { release, user } = context.kernel;
  const flags = command.u32(AT.flags);
  const isTyped = release.hwInfoKnowsInputType && flags === HW_INFO_FLAG_INPUT_TYPE;
  if (flags !== 0 && !isTyped) return -ERRNO.EOPNOTSUPP;
  if (RESERVED_BYTES.some((at) => command.bytes[at] !== 0)) return -ERRNO.EOPNOTSUPP;
  const device = context.objects.find(command.u32(AT.dev_id), IommufdDevice);
  if (device === undefined) return -ERRNO.ENOENT;
  const { mock, canTrackDirty } = device.hardware;
  if (mock === undefined) return -ERRNO.EOPNOTSUPP;
  const type = command.u32(AT.out_data_type);
  if (isTyped && type !== 0 && type !== HW_INFO_TYPE_SELFTEST) return -ERRNO.EOPNOTSUPP;
  const info = new Struct(new Uint8Array(SELFTEST_HW_INFO.size));
  info.setU32(INFO.test_reg, SELFTEST_HW_INFO_REGISTER);
  const room = command.u32(AT.data_len);
  const address = command.u64(AT.data_uptr);
  const copied = info.bytes.subarray(0, room);
  if (!user.write(address, copied)) return -ERRNO.EFAULT;
  const rest = address + BigInt(copied.length);
  if (!clear(context, rest, room - copied.length)) return -ERRNO.EFAULT;
  let capabilities = canTrackDirty ? HW_CAP_DIRTY_TRACKING : 0;
  if (release.hwInfoReportsAts) capabilities |= HW_CAP_PCI_ATS_NOT_SUPPORTED;
  command.setU32(AT.data_len, info.bytes.length);
  command.setU32(AT.out_data_type, HW_INFO_TYPE_SELFTEST);
  command.setU64(AT.out_capabilities, BigInt(capabilities));
  command.bytes[AT.__reserved] = mock.pasidBits;
  return command.respond();
};
