// SPDX-License-Identifier: MIT
// ACCESS_REPLACE_IOAS: moves an access to another IOAS. iommufd_access_replace() in drivers/iommu/iommufd/device.c.

import { decode } from '../abi/layout.ts';
import { ACCESS_REPLACE_IOAS } from '../abi/test.ts';
import { fileDescriptor } from '../abi/units.ts';
import { attachAccess } from '../iommufd/access-attach.ts';
import type { Handler } from '../iommufd/request.ts';
import { failed, failedBy, succeeded } from '../outcome/outcome.ts';
import { stateOf, withState } from '../state/world.ts';
import { grants, isRefused, rulesOf } from '../terms/rule.ts';
import { accessOfDescriptor, testAccessDescriptorRules } from './access-descriptor.ts';

export const testAccessReplaceIoasRules = rulesOf(
  {
    id: 'test-access-replace-ioas',
    title: 'IOMMU_TEST_CMD ACCESS_REPLACE_IOAS',
    source: 'iommufd_test_access_replace_ioas() in drivers/iommu/iommufd/selftest.c',
  },
  {
    replaces: grants(
      "Attaches the access to the IOAS of the access's own iommufd, and unpins what it had pinned in another IOAS.",
    ),
  },
);

export const accessReplaceIoas: Handler = (request) => {
  const { world, call } = request;
  const { id, ioas_id: ioas } = decode(ACCESS_REPLACE_IOAS, request.bytes);
  const found = accessOfDescriptor(world, call.process, fileDescriptor(id | 0));
  if (found === undefined) return [failed(testAccessDescriptorRules.notAnAccess, world)];
  const moved = attachAccess(stateOf(world, found.iommufd), found.object, ioas);
  if (isRefused(moved)) return [failedBy(moved, world)];
  return [succeeded(testAccessReplaceIoasRules.replaces, withState(world, moved))];
};
