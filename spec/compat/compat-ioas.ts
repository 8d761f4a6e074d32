// SPDX-License-Identifier: MIT
// The compatibility IOAS, which VFIO calls use because they cannot pass one. get_compat_ioas() in
// drivers/iommu/iommufd/vfio_compat.c.

import type { ObjectId } from '../abi/units.ts';
import type { Context } from '../state/context.ts';
import { type Refused, refused, refuses, rulesOf } from '../terms/rule.ts';

export const compatIoasRules = rulesOf(
  {
    id: 'compat-ioas',
    title: 'compatibility IOAS',
    source: 'get_compat_ioas() in drivers/iommu/iommufd/vfio_compat.c',
  },
  {
    none: refuses(
      'ENODEV',
      'There is no compatibility IOAS: none was set or created, or it was cleared or destroyed.',
    ),
  },
);

export const compatIoas = (context: Context): { readonly ioas: ObjectId } | Refused =>
  context.compatIoas === undefined ? refused(compatIoasRules.none) : { ioas: context.compatIoas };
