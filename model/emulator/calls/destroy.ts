// SPDX-License-Identifier: MIT
// IOMMU_DESTROY. drivers/iommu/iommufd/main.c (iommufd_destroy).

import { IOMMU_DESTROY } from '../../../spec/abi/native.ts';
import { type Command, offsetsOf } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import { Ioas } from '../ioas.ts';

const AT = offsetsOf(IOMMU_DESTROY);

export const destroy = (context: IommufdContext, command: Command): number => {
  const { defects } = context.kernel;
  const id = command.u32(AT.id);
  const object = context.objects.get(id);
  const forced = object instanceof Ioas && defects.has('destroy-of-used-object');
  const error = context.objects.remove(id, forced);
  const clears = !defects.has('compat-ioas-not-cleared-on-destroy');
  if (error === 0 && object === context.compatIoas && clears) context.compatIoas = undefined;
  return error;
};
