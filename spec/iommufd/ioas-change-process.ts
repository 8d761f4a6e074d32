// SPDX-License-Identifier: MIT
// IOMMU_IOAS_CHANGE_PROCESS: charges the calling process for everything that is pinned. iommufd_ioas_change_process()
// in drivers/iommu/iommufd/ioas.c.

import { decode } from '../abi/layout.ts';
import { IOMMU_IOAS_CHANGE_PROCESS } from '../abi/native.ts';
import { nodesOf, put, valuesOf } from '../collections/ordered-map.ts';
import { charged, uncharged } from '../memory/accounting.ts';
import { failed, failedBy, succeeded } from '../outcome/outcome.ts';
import { pinnedCount } from '../state/pages.ts';
import { withState } from '../state/world.ts';
import { grants, isRefused, refuses, rulesOf } from '../terms/rule.ts';
import { type Handler, stateOfRequest } from './request.ts';

export const ioasChangeProcessRules = rulesOf(
  {
    id: 'ioas-change-process',
    title: 'IOMMU_IOAS_CHANGE_PROCESS',
    source: 'iommufd_ioas_change_process() in drivers/iommu/iommufd/ioas.c',
  },
  {
    reservedField: refuses('EOPNOTSUPP', '__reserved is not 0.'),
    userMemory: refuses(
      'EINVAL',
      'An area of some IOAS maps process memory; only file memory can change its process.',
    ),
    changes: grants(
      'Charges the calling process for everything pinned, in place of the process that was charged.',
    ),
  },
);

export const ioasChangeProcess: Handler = (request) => {
  const { world, call } = request;
  const { __reserved } = decode(IOMMU_IOAS_CHANGE_PROCESS, request.bytes);
  if (__reserved !== 0) return [failed(ioasChangeProcessRules.reservedField, world)];
  const { context, memory } = stateOfRequest(request);
  for (const pages of valuesOf(context.pages)) {
    if (pages.source.kind !== 'file') return [failed(ioasChangeProcessRules.userMemory, world)];
  }
  // The new charge comes before the old one is returned: both count towards the limits.
  let moved = memory;
  for (const pages of valuesOf(context.pages)) {
    if (pages.process === call.process) continue;
    const paid = charged(moved, call.process, pages.charge, pinnedCount(pages));
    if (isRefused(paid)) return [failedBy(paid, world)];
    moved = paid;
  }
  let { pages: changed } = context;
  for (const { key, value } of nodesOf(context.pages)) {
    if (value.process === call.process) continue;
    moved = uncharged(moved, value.process, value.charge, pinnedCount(value));
    changed = put(changed, key, { ...value, process: call.process });
  }
  const after = withState(world, { context: { ...context, pages: changed }, memory: moved });
  return [succeeded(ioasChangeProcessRules.changes, after)];
};
