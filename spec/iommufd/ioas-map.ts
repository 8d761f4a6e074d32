// SPDX-License-Identifier: MIT
// IOMMU_IOAS_MAP: iommufd_ioas_map() in drivers/iommu/iommufd/ioas.c.

import { decode } from '../abi/layout.ts';
import { IOMMU_IOAS_MAP } from '../abi/native.ts';
import { mapUser } from '../iopt/map-user.ts';
import { withSharedDoubt } from '../knowledge/memory-doubt.ts';
import { failed, failedBy } from '../outcome/outcome.ts';
import { ioasAt } from '../state/context.ts';
import { grants, isRefused, refuses, rulesOf } from '../terms/rule.ts';
import { hasKnownFlags, isU64Max, mapReply, permissionsOf, targetOf } from './map-reply.ts';
import { contextOfRequest, type Handler, stateOfRequest } from './request.ts';

export const ioasMapRules = rulesOf(
  {
    id: 'ioas-map',
    title: 'IOMMU_IOAS_MAP',
    source: 'iommufd_ioas_map() in drivers/iommu/iommufd/ioas.c',
  },
  {
    unknownFlags: refuses(
      'EOPNOTSUPP',
      'A flag other than FIXED_IOVA, WRITEABLE and READABLE is set, or __reserved is not 0.',
    ),
    u64Max: refuses('EOVERFLOW', 'iova or length is U64_MAX.'),
    noPermission: refuses('EINVAL', 'Neither WRITEABLE nor READABLE is set.'),
    noIoas: refuses('ENOENT', 'No IOAS has the id ioas_id.'),
    maps: grants(
      'Maps the memory in every domain of the IOAS, at iova or at a chosen IOVA that iova returns.',
    ),
    replyFault: refuses('EFAULT', 'The struct cannot be written back; the area stays mapped.'),
  },
);

export const ioasMap: Handler = (request) => {
  const { world, call } = request;
  const fields = decode(IOMMU_IOAS_MAP, request.bytes);
  if (!hasKnownFlags(fields.flags) || fields.__reserved !== 0) {
    return [failed(ioasMapRules.unknownFlags, world)];
  }
  if (isU64Max(fields.iova) || isU64Max(fields.length)) {
    return [failed(ioasMapRules.u64Max, world)];
  }
  const permissions = permissionsOf(fields.flags);
  if (!permissions.readable && !permissions.writable) {
    return [failed(ioasMapRules.noPermission, world)];
  }
  if (ioasAt(contextOfRequest(request), fields.ioas_id) === undefined) {
    return [failed(ioasMapRules.noIoas, world)];
  }
  const target = targetOf(fields.flags, fields.iova);
  const mapped = mapUser(stateOfRequest(request), world.release, {
    ioas: fields.ioas_id,
    target,
    process: call.process,
    address: fields.user_va,
    length: fields.length,
    permissions,
  });
  if (isRefused(mapped)) return [failedBy(mapped, world)];
  const struct = { layout: IOMMU_IOAS_MAP, field: 'iova' } as const;
  const reply = mapReply(request, struct, target, mapped, {
    granted: ioasMapRules.maps,
    replyFault: ioasMapRules.replyFault,
  });
  return withSharedDoubt(reply, world, call.process, fields.user_va, fields.length);
};
