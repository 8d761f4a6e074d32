// SPDX-License-Identifier: MIT
// IOMMU_IOAS_UNMAP: iommufd_ioas_unmap() in drivers/iommu/iommufd/ioas.c.

import { decode } from '../abi/layout.ts';
import { IOMMU_IOAS_UNMAP } from '../abi/native.ts';
import { U64_MAX } from '../abi/units.ts';
import { lastToUnmap, unmapRange } from '../iopt/unmap.ts';
import { failed, failedBy, type Outcome, succeeded } from '../outcome/outcome.ts';
import { ioasAt } from '../state/context.ts';
import { withState } from '../state/world.ts';
import { grants, refuses, rulesOf } from '../terms/rule.ts';
import { isU64Max } from './map-reply.ts';
import { contextOfRequest, type Handler, respond, stateOfRequest } from './request.ts';

export const ioasUnmapRules = rulesOf(
  {
    id: 'ioas-unmap',
    title: 'IOMMU_IOAS_UNMAP',
    source: 'iommufd_ioas_unmap() in drivers/iommu/iommufd/ioas.c',
  },
  {
    noIoas: refuses('ENOENT', 'No IOAS has the id ioas_id.'),
    u64Max: refuses(
      'EOVERFLOW',
      'iova or length is U64_MAX, except iova 0 with length U64_MAX, which means everything.',
    ),
    nothingMapped: refuses('ENOENT', 'No area overlaps the range.'),
    unmaps: grants(
      'Unmaps every area in the range from the IOAS and its domains; length returns the bytes unmapped.',
    ),
    unmapsAll: grants(
      'iova is 0 and length U64_MAX: unmaps every area, possibly none; length returns the bytes unmapped.',
    ),
    replyFault: refuses('EFAULT', 'The struct cannot be written back; the areas stay unmapped.'),
  },
);

export const ioasUnmap: Handler = (request): readonly Outcome[] => {
  const { world } = request;
  const { ioas_id, iova, length } = decode(IOMMU_IOAS_UNMAP, request.bytes);
  if (ioasAt(contextOfRequest(request), ioas_id) === undefined) {
    return [failed(ioasUnmapRules.noIoas, world)];
  }
  const everything = iova === 0n && length === U64_MAX;
  let last = U64_MAX;
  if (!everything) {
    if (isU64Max(iova) || isU64Max(length)) return [failed(ioasUnmapRules.u64Max, world)];
    const end = lastToUnmap(iova, length);
    if (typeof end !== 'bigint') return [failedBy(end, world)];
    last = end;
  }
  const unmapped = unmapRange(stateOfRequest(request), ioas_id, iova, last);
  const after = withState(world, unmapped.state);
  if (unmapped.refused !== undefined) return [failed(unmapped.refused, after)];
  if (!everything && unmapped.bytes === 0n) return [failed(ioasUnmapRules.nothingMapped, world)];
  const answer = respond(request, IOMMU_IOAS_UNMAP, { length: unmapped.bytes });
  if (!answer.whole) return [failed(ioasUnmapRules.replyFault, after, [answer.write])];
  const rule = everything ? ioasUnmapRules.unmapsAll : ioasUnmapRules.unmaps;
  return [succeeded(rule, after, [answer.write])];
};
