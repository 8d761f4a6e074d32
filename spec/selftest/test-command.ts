// SPDX-License-Identifier: MIT
// IOMMU_TEST_CMD: the dispatch to its operations. iommufd_test() in drivers/iommu/iommufd/selftest.c.

import { u32At } from '../abi/bytes.ts';
import { decode, fieldOf } from '../abi/layout.ts';
import { IOMMU_TEST_CMD } from '../abi/native.ts';
import {
  DEV_CHECK_CACHE,
  MOCK_DEVICE_CACHE_DEFAULT,
  MOCK_DEVICE_CACHES,
  SET_TEMP_MEMORY_LIMIT,
  TEMP_MEMORY_LIMIT_MIN,
  TEST_OPERATIONS,
  type TestOperationName,
} from '../abi/test.ts';
import { fileDescriptor } from '../abi/units.ts';
import { contextOfRequest, type Handler, type Request } from '../iommufd/request.ts';
import { onUntracked, unspecified, untrackingAll } from '../iommufd/untracked.ts';
import { failed, type Outcome, succeeded } from '../outcome/outcome.ts';
import { deviceAt } from '../state/context.ts';
import { grants, refuses, rulesOf } from '../terms/rule.ts';
import { doubtOfAccess } from './access-descriptor.ts';
import { accessPages, destroyAccessPages } from './access-pages.ts';
import { accessReplaceIoas } from './access-replace-ioas.ts';
import { accessRw } from './access-rw.ts';
import { addReserved } from './add-reserved.ts';
import { createAccess } from './create-access.ts';
import { dirty } from './dirty.ts';
import { mdCheckMap } from './md-check-map.ts';
import { mdCheckRefs } from './md-check-refs.ts';
import { mockDomain, mockDomainFlags } from './mock-domain.ts';
import { mockDomainReplace } from './mock-domain-replace.ts';

export const testCmdRules = rulesOf(
  {
    id: 'test-cmd',
    title: 'IOMMU_TEST_CMD',
    source: 'iommufd_test() in drivers/iommu/iommufd/selftest.c',
  },
  {
    limitTooSmall: refuses('EINVAL', 'SET_TEMP_MEMORY_LIMIT: limit is less than 12.'),
    setsLimit: grants(
      'SET_TEMP_MEMORY_LIMIT: pages are pinned in batches of at most limit bytes of memory. Nothing else shows it.',
    ),
    noDevice: refuses(
      'ENOENT',
      'DEV_CHECK_CACHE: no device has the id.',
      'iommufd_test_dev_check_cache() in drivers/iommu/iommufd/selftest.c',
    ),
    cacheDiffers: refuses(
      'EINVAL',
      'DEV_CHECK_CACHE: there is no such cache, or it has another value.',
      'iommufd_test_dev_check_cache() in drivers/iommu/iommufd/selftest.c',
    ),
    cacheAgrees: grants(
      'DEV_CHECK_CACHE: the cache has the value. Those of a new device have 0xbaddad.',
      'iommufd_test_dev_check_cache() in drivers/iommu/iommufd/selftest.c',
    ),
    unknownOperation: refuses('EOPNOTSUPP', 'The release has no operation op.'),
  },
);

const setTempMemoryLimit: Handler = ({ world, bytes }) => {
  const { limit } = decode(SET_TEMP_MEMORY_LIMIT, bytes);
  return limit < TEMP_MEMORY_LIMIT_MIN
    ? [failed(testCmdRules.limitTooSmall, world)]
    : [succeeded(testCmdRules.setsLimit, world)];
};

const devCheckCache: Handler = (request): readonly Outcome[] => {
  const { world } = request;
  const { id, cache_id, cache } = decode(DEV_CHECK_CACHE, request.bytes);
  const context = contextOfRequest(request);
  const device = deviceAt(context, id);
  if (device === undefined) return [failed(testCmdRules.noDevice, world)];
  if (device.mock === undefined || context.untrackedCaches) {
    return [unspecified(world, 'DEV_CHECK_CACHE of caches that are not known')];
  }
  const agrees = cache_id < MOCK_DEVICE_CACHES && cache === MOCK_DEVICE_CACHE_DEFAULT;
  return agrees
    ? [succeeded(testCmdRules.cacheAgrees, world)]
    : [failed(testCmdRules.cacheDiffers, world)];
};

const notSpecified =
  (name: string): Handler =>
  ({ world }) => [unspecified(world, `IOMMU_TEST_CMD ${name}`)];

const unspecifiedAndUntracked =
  (name: string): Handler =>
  (request: Request) => [untrackingAll(request, `IOMMU_TEST_CMD ${name}`)];

const HANDLERS: Readonly<Record<TestOperationName, Handler>> = {
  ADD_RESERVED: addReserved,
  MOCK_DOMAIN: mockDomain,
  MD_CHECK_MAP: mdCheckMap,
  MD_CHECK_REFS: mdCheckRefs,
  CREATE_ACCESS: createAccess,
  DESTROY_ACCESS_PAGES: destroyAccessPages,
  ACCESS_PAGES: accessPages,
  ACCESS_RW: accessRw,
  SET_TEMP_MEMORY_LIMIT: setTempMemoryLimit,
  MOCK_DOMAIN_REPLACE: mockDomainReplace,
  ACCESS_REPLACE_IOAS: accessReplaceIoas,
  MOCK_DOMAIN_FLAGS: mockDomainFlags,
  DIRTY: dirty,
  MD_CHECK_IOTLB: notSpecified('MD_CHECK_IOTLB'),
  TRIGGER_IOPF: notSpecified('TRIGGER_IOPF'),
  DEV_CHECK_CACHE: devCheckCache,
  TRIGGER_VEVENT: notSpecified('TRIGGER_VEVENT'),
  PASID_ATTACH: unspecifiedAndUntracked('PASID_ATTACH'),
  PASID_REPLACE: unspecifiedAndUntracked('PASID_REPLACE'),
  PASID_DETACH: unspecifiedAndUntracked('PASID_DETACH'),
  PASID_CHECK_HWPT: notSpecified('PASID_CHECK_HWPT'),
  DMABUF_GET: notSpecified('DMABUF_GET'),
  DMABUF_REVOKE: notSpecified('DMABUF_REVOKE'),
};

const OPERATION = fieldOf(IOMMU_TEST_CMD, 'op');

const byNumber = new Map(TEST_OPERATIONS.map((operation) => [operation.op, operation.name]));

const operationOf = (bytes: Uint8Array): TestOperationName | undefined =>
  byNumber.get(u32At(bytes, OPERATION.offset));

/** Whether the struct, which may be incomplete, asks for CREATE_ACCESS. */
export const createsAccess = (bytes: Uint8Array): boolean =>
  bytes.length >= OPERATION.offset + 4 && operationOf(bytes) === 'CREATE_ACCESS';

const ON_ACCESSES: ReadonlySet<TestOperationName> = new Set([
  'ACCESS_PAGES',
  'ACCESS_REPLACE_IOAS',
  'ACCESS_RW',
  'DESTROY_ACCESS_PAGES',
]);

export const testCommand: Handler = (request) => {
  const { world } = request;
  const name = operationOf(request.bytes);
  if (name === undefined || world.release.absentTestOperations.has(name)) {
    return [failed(testCmdRules.unknownOperation, world)];
  }
  if (ON_ACCESSES.has(name)) {
    const { id } = decode(IOMMU_TEST_CMD, request.bytes);
    const doubt = doubtOfAccess(world, request.call.process, fileDescriptor(id | 0));
    if (doubt !== undefined) return [onUntracked(world, request.call.process, doubt)];
  }
  return HANDLERS[name](request);
};
