// SPDX-License-Identifier: MIT
// IOMMU_TEST_CMD: selects the operation. drivers/iommu/iommufd/selftest.c (iommufd_test).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { IOMMU_TEST_CMD } from '../../../spec/abi/native.ts';
import {
  ADD_RESERVED,
  SET_TEMP_MEMORY_LIMIT,
  TEMP_MEMORY_LIMIT_MIN,
  TEST_OPERATIONS,
  type TestOperationName,
} from '../../../spec/abi/test.ts';
import type { Handler } from '../calls/handlers.ts';
import { type Command, offsetsOf } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import { Ioas } from '../ioas.ts';
import { lastOf, wrap } from '../u64.ts';
import {
  createAccess,
  destroyPages,
  pinPages,
  readOrWrite,
  replaceIoas,
} from './access-operations.ts';
import { checkCache, checkMap, checkRefs, writePages } from './check-domain.ts';
import { mockDomain, mockDomainFlags, mockDomainReplace } from './mock-domain.ts';

const AT = offsetsOf(IOMMU_TEST_CMD);
const RESERVED = offsetsOf(ADD_RESERVED);
const LIMIT = offsetsOf(SET_TEMP_MEMORY_LIMIT);

const addReserved: Handler = (context, command) => {
  const start = command.u64(RESERVED.start);
  const length = command.u64(RESERVED.length);
  const unchecked = context.kernel.defects.has('reserved-range-wraps');
  if (length === 0n && !unchecked) return -ERRNO.EINVAL;
  const last = unchecked ? wrap(start + length - 1n) : lastOf(start, length);
  if (last === undefined) return -ERRNO.EOVERFLOW;
  const ioas = context.objects.find(command.u32(RESERVED.id), Ioas);
  return ioas === undefined ? -ERRNO.ENOENT : ioas.table.reserve(start, last, undefined);
};

const setMemoryLimit: Handler = (context, command) => {
  const limit = command.u32(LIMIT.limit);
  if (limit < TEMP_MEMORY_LIMIT_MIN) return -ERRNO.EINVAL;
  context.kernel.temporaryMemoryLimit = limit;
  return 0;
};

/** Operations that are missing here are not emulated. */
const OPERATIONS: Readonly<Partial<Record<TestOperationName, Handler>>> = {
  ADD_RESERVED: addReserved,
  MOCK_DOMAIN: (context, command) => mockDomain(context, command, 0),
  MOCK_DOMAIN_FLAGS: mockDomainFlags,
  MOCK_DOMAIN_REPLACE: mockDomainReplace,
  MD_CHECK_MAP: checkMap,
  MD_CHECK_REFS: checkRefs,
  DEV_CHECK_CACHE: checkCache,
  DIRTY: writePages,
  CREATE_ACCESS: createAccess,
  ACCESS_REPLACE_IOAS: replaceIoas,
  ACCESS_PAGES: pinPages,
  ACCESS_RW: readOrWrite,
  DESTROY_ACCESS_PAGES: destroyPages,
  SET_TEMP_MEMORY_LIMIT: setMemoryLimit,
};

const NAMES: readonly (TestOperationName | undefined)[] = TEST_OPERATIONS.reduce<
  (TestOperationName | undefined)[]
>((names, { op, name }) => {
  names[op] = name;
  return names;
}, []);

export const testCommand = (context: IommufdContext, command: Command): number => {
  const name = NAMES[command.u32(AT.op)];
  if (name === undefined || context.kernel.release.absentTestOperations.has(name)) {
    return -ERRNO.EOPNOTSUPP;
  }
  const operation = OPERATIONS[name];
  return operation === undefined ? -ERRNO.EOPNOTSUPP : operation(context, command);
};
