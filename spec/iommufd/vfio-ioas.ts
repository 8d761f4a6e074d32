// SPDX-License-Identifier: MIT
// IOMMU_VFIO_IOAS: iommufd_vfio_ioas() in drivers/iommu/iommufd/vfio_compat.c. It gets, sets and clears the
// compatibility IOAS.

import { decode } from '../abi/layout.ts';
import { IOMMU_VFIO_IOAS, VFIO_IOAS_CLEAR, VFIO_IOAS_GET, VFIO_IOAS_SET } from '../abi/native.ts';
import { failed, type Outcome, succeeded } from '../outcome/outcome.ts';
import { ioasAt } from '../state/context.ts';
import { withContext } from '../state/world.ts';
import { grants, refuses, rulesOf } from '../terms/rule.ts';
import { contextOfRequest, type Handler, respond, respondRules } from './request.ts';

export const vfioIoasRules = rulesOf(
  {
    id: 'vfio-ioas',
    title: 'IOMMU_VFIO_IOAS',
    source: 'iommufd_vfio_ioas() in drivers/iommu/iommufd/vfio_compat.c',
  },
  {
    reservedField: refuses('EOPNOTSUPP', '__reserved is not 0.'),
    noCompatIoas: refuses('ENODEV', 'GET: there is no compatibility IOAS.'),
    gets: grants('GET: ioas_id returns the id of the compatibility IOAS.'),
    noIoas: refuses('ENOENT', 'SET: no IOAS has the id ioas_id.'),
    sets: grants(
      'SET: makes the IOAS the compatibility IOAS. Devices stay attached where they are.',
    ),
    clears: grants(
      'CLEAR: removes the compatibility IOAS, if there is one. The IOAS itself stays.',
    ),
    unknownOperation: refuses('EOPNOTSUPP', 'op is none of GET, SET and CLEAR.'),
  },
);

export const vfioIoas: Handler = (request): readonly Outcome[] => {
  const { world } = request;
  const fields = decode(IOMMU_VFIO_IOAS, request.bytes);
  if (fields.__reserved !== 0) return [failed(vfioIoasRules.reservedField, world)];
  const context = contextOfRequest(request);
  switch (fields.op) {
    case VFIO_IOAS_GET: {
      if (context.compatIoas === undefined) return [failed(vfioIoasRules.noCompatIoas, world)];
      const answer = respond(request, IOMMU_VFIO_IOAS, { ioas_id: context.compatIoas });
      return answer.whole
        ? [succeeded(vfioIoasRules.gets, world, [answer.write])]
        : [failed(respondRules.replyFault, world, [answer.write])];
    }
    case VFIO_IOAS_SET:
      if (ioasAt(context, fields.ioas_id) === undefined) {
        return [failed(vfioIoasRules.noIoas, world)];
      }
      return [
        succeeded(
          vfioIoasRules.sets,
          withContext(world, { ...context, compatIoas: fields.ioas_id }),
        ),
      ];
    case VFIO_IOAS_CLEAR:
      return [
        succeeded(vfioIoasRules.clears, withContext(world, { ...context, compatIoas: undefined })),
      ];
    default:
      return [failed(vfioIoasRules.unknownOperation, world)];
  }
};
