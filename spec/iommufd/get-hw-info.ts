// SPDX-License-Identifier: MIT
// IOMMU_GET_HW_INFO: iommufd_get_hw_info() in drivers/iommu/iommufd/device.c. The refusals are specified for every
// device, the data only for mock devices.

import { u32At } from '../abi/bytes.ts';
import { decode, encode, fieldOf } from '../abi/layout.ts';
import {
  HW_CAP_DIRTY_TRACKING,
  HW_CAP_PCI_ATS_NOT_SUPPORTED,
  HW_INFO_FLAG_INPUT_TYPE,
  HW_INFO_TYPE_DEFAULT,
  IOMMU_GET_HW_INFO,
} from '../abi/native.ts';
import {
  HW_INFO_TYPE_SELFTEST,
  MOCK_PASID_WIDTH,
  SELFTEST_HW_INFO,
  SELFTEST_HW_INFO_REGISTER,
} from '../abi/test.ts';
import { SOFTWARE_IOMMU } from '../hardware/templates.ts';
import { writableLength, write } from '../knowledge/user-copy.ts';
import { failed, succeeded } from '../outcome/outcome.ts';
import { deviceAt } from '../state/context.ts';
import { grants, onlyWith, refuses, rulesOf } from '../terms/rule.ts';
import { contextOfRequest, type Handler, type Request, respond, respondRules } from './request.ts';
import { unspecified } from './untracked.ts';

export const getHwInfoRules = rulesOf(
  {
    id: 'get-hw-info',
    title: 'IOMMU_GET_HW_INFO',
    source: 'iommufd_get_hw_info() in drivers/iommu/iommufd/device.c',
  },
  {
    unknownFlags: refuses(
      'EOPNOTSUPP',
      'A flag that the release does not know is set, or a reserved byte is not 0.',
    ),
    noDevice: refuses('ENOENT', 'No device has the id dev_id.'),
    noIommu: onlyWith('noIommuCdevs', refuses('EOPNOTSUPP', 'The device has no IOMMU.')),
    unknownDataType: onlyWith(
      'hwInfoInputType',
      refuses(
        'EOPNOTSUPP',
        'INPUT_TYPE is set, and the device has no data of the type in_data_type.',
        'mock_domain_hw_info() in drivers/iommu/iommufd/selftest.c',
      ),
    ),
    dataFault: refuses(
      'EFAULT',
      'A byte of the buffer cannot be written. Those before it are written, the struct is not.',
    ),
    reports: grants(
      'Fills the buffer with the data and then zeros. data_len and out_data_type return its length and type, out_capabilities and out_max_pasid_log2 the capabilities.',
    ),
  },
);

/** The longest buffer that is specified in a recording, which does not show where memory ends. */
const LONGEST_FOLLOWED = 0x1_0000;

const RESERVED_BYTES = 0xffff_ff00;

const DATA = encode(SELFTEST_HW_INFO, { test_reg: SELFTEST_HW_INFO_REGISTER });

/** The data and then zeros: `room` bytes, or as many as can be written to the buffer. */
const dataFor = (request: Request, address: bigint, room: number): Uint8Array => {
  const { world, call } = request;
  const bytes = new Uint8Array(writableLength(world.memory, call.process, address, room));
  bytes.set(DATA.subarray(0, bytes.length));
  return bytes;
};

export const getHwInfo: Handler = (request) => {
  const { world } = request;
  const { release } = world;
  const fields = decode(IOMMU_GET_HW_INFO, request.bytes);
  const known = release.hwInfoKnowsInputType ? HW_INFO_FLAG_INPUT_TYPE : 0;
  const reserved = u32At(request.bytes, fieldOf(IOMMU_GET_HW_INFO, '__reserved').offset);
  if ((fields.flags & ~known) !== 0 || (reserved & RESERVED_BYTES) !== 0) {
    return [failed(getHwInfoRules.unknownFlags, world)];
  }
  const device = deviceAt(contextOfRequest(request), fields.dev_id);
  if (device === undefined) return [failed(getHwInfoRules.noDevice, world)];
  if (device.iommu === SOFTWARE_IOMMU) return [failed(getHwInfoRules.noIommu, world)];
  if (device.mock === undefined) return [unspecified(world, 'IOMMU_GET_HW_INFO')];
  const wanted =
    (fields.flags & HW_INFO_FLAG_INPUT_TYPE) === 0 ? HW_INFO_TYPE_DEFAULT : fields.out_data_type;
  if (wanted !== HW_INFO_TYPE_DEFAULT && wanted !== HW_INFO_TYPE_SELFTEST) {
    return [failed(getHwInfoRules.unknownDataType, world)];
  }
  if (world.memory.knowledge === 'recorded' && fields.data_len > LONGEST_FOLLOWED) {
    return [unspecified(world, 'IOMMU_GET_HW_INFO with a buffer that is not followed')];
  }
  const data = dataFor(request, fields.data_uptr, fields.data_len);
  const { write: written } = write(world.memory, request.call.process, fields.data_uptr, data);
  if (data.length < fields.data_len) return [failed(getHwInfoRules.dataFault, world, [written])];
  const tracks = device.mock.noDirty ? 0 : HW_CAP_DIRTY_TRACKING;
  const answer = respond(request, IOMMU_GET_HW_INFO, {
    data_len: DATA.length,
    out_data_type: HW_INFO_TYPE_SELFTEST,
    __reserved: device.mock.pasids ? MOCK_PASID_WIDTH : 0,
    out_capabilities: tracks | (release.hwInfoReportsAts ? HW_CAP_PCI_ATS_NOT_SUPPORTED : 0),
  });
  return answer.whole
    ? [succeeded(getHwInfoRules.reports, world, [written, answer.write])]
    : [failed(respondRules.replyFault, world, [written, answer.write])];
};
