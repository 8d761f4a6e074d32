// SPDX-License-Identifier: MIT
// IOMMU_IOAS_ALLOC: iommufd_ioas_alloc_ioctl() in drivers/iommu/iommufd/ioas.c.

import { decode } from '../abi/layout.ts';
import { IOMMU_IOAS_ALLOC } from '../abi/native.ts';
import { type ObjectId, objectId } from '../abi/units.ts';
import { failed, succeeded, withChoices } from '../outcome/outcome.ts';
import { lowestFreeId, withObject } from '../state/context.ts';
import { EMPTY_IO_PAGETABLE } from '../state/io-pagetable.ts';
import { type World, withContext } from '../state/world.ts';
import { grants, refuses, rulesOf } from '../terms/rule.ts';
import { contextOfRequest, type Handler, idChoice, respond, respondRules } from './request.ts';

export const ioasAllocRules = rulesOf(
  {
    id: 'ioas-alloc',
    title: 'IOMMU_IOAS_ALLOC',
    source: 'iommufd_ioas_alloc_ioctl() in drivers/iommu/iommufd/ioas.c',
  },
  {
    unknownFlags: refuses('EOPNOTSUPP', 'flags is not 0.'),
    allocates: grants('Allocates an empty IOAS; out_ioas_id returns its id.'),
  },
);

export const ioasAlloc: Handler = (request) => {
  const { world } = request;
  const fields = decode(IOMMU_IOAS_ALLOC, request.bytes);
  if (fields.flags !== 0) return [failed(ioasAllocRules.unknownFlags, world)];

  const context = contextOfRequest(request);
  const id = lowestFreeId(context);
  const answer = respond(request, IOMMU_IOAS_ALLOC, { out_ioas_id: id });
  if (!answer.whole) return [failed(respondRules.replyFault, world, [answer.write])];

  const after = (chosen: ObjectId): World =>
    withContext(world, withObject(context, chosen, { kind: 'ioas', table: EMPTY_IO_PAGETABLE }));
  return [
    withChoices(succeeded(ioasAllocRules.allocates, after(id), [answer.write]), {
      list: [idChoice(request, IOMMU_IOAS_ALLOC, 'out_ioas_id', id)],
      world: ([chosen]) => after(objectId(Number(chosen))),
    }),
  ];
};
