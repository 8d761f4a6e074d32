// SPDX-License-Identifier: MIT
// IOMMU_DESTROY: iommufd_object_remove() in drivers/iommu/iommufd/main.c, and the destruction of each kind of object.

import { decode } from '../abi/layout.ts';
import { IOMMU_DESTROY } from '../abi/native.ts';
import { type ObjectId, U64_MAX } from '../abi/units.ts';
import { valueAt } from '../collections/ordered-map.ts';
import { unmapRange } from '../iopt/unmap.ts';
import { failed, succeeded } from '../outcome/outcome.ts';
import { objectAt, usersOf, withoutObject } from '../state/context.ts';
import type { IommufdState } from '../state/iommufd-state.ts';
import { withState } from '../state/world.ts';
import { grants, refuses, rulesOf } from '../terms/rule.ts';
import { detach } from './attach.ts';
import { withoutHwpt } from './hwpt.ts';
import { contextOfRequest, type Handler, stateOfRequest } from './request.ts';

export const destroyRules = rulesOf(
  {
    id: 'destroy',
    title: 'IOMMU_DESTROY',
    source: 'iommufd_object_remove() in drivers/iommu/iommufd/main.c',
  },
  {
    noObject: refuses('ENOENT', 'No object has the id.'),
    inUse: refuses(
      'EBUSY',
      'Another object uses the object, or the file that bound the device or created the access does.',
    ),
    destroys: grants(
      'Destroys the object. An IOAS is unmapped first, and is no longer the compatibility IOAS.',
    ),
    untracked: grants(
      'Destroys an object that an unspecified call made or may use; whether it can be destroyed is not known.',
    ),
  },
);

/** Destroys an object that has no users. */
export const destroyed = (state: IommufdState, id: ObjectId): IommufdState => {
  const object = objectAt(state.context, id);
  switch (object?.kind) {
    case 'ioas': {
      const emptied = unmapRange(state, id, 0n, U64_MAX).state;
      return { context: withoutObject(emptied.context, id), memory: emptied.memory };
    }
    case 'hwpt':
      return withoutHwpt(state, id);
    case 'selftest': {
      const detached = detach(state, object.device);
      const context = withoutObject(withoutObject(detached.context, object.device), id);
      return { context, memory: detached.memory };
    }
    default:
      return { context: withoutObject(state.context, id), memory: state.memory };
  }
};

export const destroy: Handler = (request) => {
  const { world } = request;
  const { id } = decode(IOMMU_DESTROY, request.bytes);
  const context = contextOfRequest(request);
  const object = objectAt(context, id);
  if (object === undefined) return [failed(destroyRules.noObject, world)];
  const user = valueAt(context.untrackedUsers, id);
  if (object.kind === 'unspecified' || (user !== undefined && usersOf(context, id) === 0)) {
    const unknown =
      object.kind === 'unspecified'
        ? `object ${id} was made by ${object.madeBy}, which is not specified`
        : `object ${id} may be used by what ${user} made, which is not specified`;
    return [
      {
        ...succeeded(
          destroyRules.untracked,
          withState(world, destroyed(stateOfRequest(request), id)),
        ),
        unknown,
      },
      { ...failed(destroyRules.inUse, world), unknown },
      { ...failed(destroyRules.noObject, world), unknown },
    ];
  }
  if (usersOf(context, id) > 0) return [failed(destroyRules.inUse, world)];
  return [
    succeeded(destroyRules.destroys, withState(world, destroyed(stateOfRequest(request), id))),
  ];
};
