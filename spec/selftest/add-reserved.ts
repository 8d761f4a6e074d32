// SPDX-License-Identifier: MIT
// ADD_RESERVED: reserves a range as long as the IOAS exists. iommufd_test_add_reserved() in
// drivers/iommu/iommufd/selftest.c.

import { decode } from '../abi/layout.ts';
import { ADD_RESERVED } from '../abi/test.ts';
import { U64_MAX } from '../abi/units.ts';
import { contextOfRequest, type Handler } from '../iommufd/request.ts';
import { reserved } from '../iopt/reserve.ts';
import { failed, failedBy, succeeded } from '../outcome/outcome.ts';
import { ioasAt, withTable } from '../state/context.ts';
import { withContext } from '../state/world.ts';
import { grants, isRefused, refuses, rulesOf } from '../terms/rule.ts';

export const testAddReservedRules = rulesOf(
  {
    id: 'test-add-reserved',
    title: 'IOMMU_TEST_CMD ADD_RESERVED',
    source: 'iommufd_test_add_reserved() in drivers/iommu/iommufd/selftest.c',
  },
  {
    zeroLength: refuses('EINVAL', 'length is 0.'),
    wraps: refuses('EOVERFLOW', 'start + length - 1 exceeds U64_MAX.'),
    noIoas: refuses('ENOENT', 'No IOAS has the id.'),
    reserves: grants('Reserves the range as long as the IOAS exists.'),
  },
);

export const addReserved: Handler = (request) => {
  const { world } = request;
  const { id, start, length } = decode(ADD_RESERVED, request.bytes);
  if (length === 0n) return [failed(testAddReservedRules.zeroLength, world)];
  const last = start + length - 1n;
  if (last > U64_MAX) return [failed(testAddReservedRules.wraps, world)];
  const context = contextOfRequest(request);
  const ioas = ioasAt(context, id);
  if (ioas === undefined) return [failed(testAddReservedRules.noIoas, world)];
  const table = reserved(ioas.table, { start, last }, { kind: 'test' });
  if (isRefused(table)) return [failedBy(table, world)];
  return [
    succeeded(testAddReservedRules.reserves, withContext(world, withTable(context, id, table))),
  ];
};
