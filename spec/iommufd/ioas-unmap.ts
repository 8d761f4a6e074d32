// IOMMU_IOAS_UNMAP: iommufd_ioas_unmap() in drivers/iommu/iommufd/ioas.c.

import { decode } from '../abi/layout.ts';
import { IOMMU_IOAS_UNMAP } from '../abi/native.ts';
import { U64_MAX } from '../abi/units.ts';
import { lastToUnmap, unmapRange } from '../iopt/unmap.ts';
import { failed, failedBy, type Outcome, succeeded } from '../outcome/outcome.ts';
import { ioasAt } from '../state/context.ts';
import { withState } from '../state/world.ts';
import { grants, refuses, rulesOf } from '../terms/rule.ts';
import { tooGreat } from './map-reply.ts';
import { contextOfRequest, type Handler, respond, stateOfRequest } from './request.ts';

export const ioasUnmapRules = rulesOf(
  {
    id: 'ioas-unmap',
    title: 'IOMMU_IOAS_UNMAP',
    source: 'iommufd_ioas_unmap() in drivers/iommu/iommufd/ioas.c',
  },
  {
    noIoas: refuses('ENOENT', 'There is no IOAS of that id.'),
    u64Max: refuses(
      'EOVERFLOW',
      'The IOVA or the length is 2^64 - 1; that length is taken with IOVA 0 only, and then means everything.',
    ),
    nothingMapped: refuses('ENOENT', 'Nothing is mapped in the range.'),
    unmaps: grants(
      'Every area of the range is gone from the IOAS and from its domains, and length tells how many bytes they were.',
    ),
    unmapsAll: grants(
      'The IOAS is empty, also if it was before, and length tells how many bytes were mapped.',
    ),
    replyFault: refuses('EFAULT', 'The areas are gone, but the struct cannot be written back.'),
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
    if (tooGreat(iova) || tooGreat(length)) return [failed(ioasUnmapRules.u64Max, world)];
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
