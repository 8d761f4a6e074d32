// SPDX-License-Identifier: MIT
// IOMMU_HWPT_ALLOC of a paging hwpt: iommufd_hwpt_alloc() in drivers/iommu/iommufd/hw_pagetable.c. Nested hwpts and
// driver data are not specified.

import { decode, fieldOf } from '../abi/layout.ts';
import {
  HWPT_ALLOC_DIRTY_TRACKING,
  HWPT_ALLOC_NEST_PARENT,
  HWPT_ALLOC_PASID,
  HWPT_DATA_NONE,
  IOMMU_HWPT_ALLOC,
} from '../abi/native.ts';
import { type ObjectId, objectId } from '../abi/units.ts';
import { SOFTWARE_IOMMU, templateFor } from '../hardware/templates.ts';
import { withMemoryDoubt } from '../knowledge/memory-doubt.ts';
import { failed, failuresBy, type Outcome, succeeded, withChoices } from '../outcome/outcome.ts';
import { type Device, deviceAt, lowestFreeId, objectAt } from '../state/context.ts';
import { type World, withState } from '../state/world.ts';
import { grants, isRefused, onlyWith, refuses, rulesOf } from '../terms/rule.ts';
import { domainFor, withHwpt } from './hwpt.ts';
import {
  contextOfRequest,
  type Handler,
  idChoice,
  type Request,
  respond,
  respondRules,
  stateOfRequest,
} from './request.ts';
import { makingObject, untrackingAll } from './untracked.ts';

export const hwptAllocRules = rulesOf(
  {
    id: 'hwpt-alloc',
    title: 'IOMMU_HWPT_ALLOC',
    source: 'iommufd_hwpt_alloc() in drivers/iommu/iommufd/hw_pagetable.c',
  },
  {
    reservedField: refuses('EOPNOTSUPP', '__reserved is not 0.'),
    dataMismatch: refuses(
      'EINVAL',
      'data_type is NONE and data_len is not 0, or data_type is not NONE and data_len is 0.',
    ),
    noDevice: refuses('ENOENT', 'No device has the id dev_id.'),
    noTarget: refuses('EINVAL', 'No object has the id pt_id.'),
    notATarget: refuses('EINVAL', 'The object pt_id is neither an IOAS, an hwpt nor a vIOMMU.'),
    flagsWithoutIommu: onlyWith(
      'hwptPasid',
      refuses(
        'EOPNOTSUPP',
        'NEST_PARENT, DIRTY_TRACKING or PASID is set, and the device has no IOMMU.',
        'noiommu_alloc_paging_flags() in drivers/iommu/iommufd/hwpt_noiommu.c',
      ),
    ),
    noDirtyTracking: refuses(
      'EOPNOTSUPP',
      'DIRTY_TRACKING is set, and the device cannot track dirty pages.',
      'iommufd_hwpt_paging_alloc() in drivers/iommu/iommufd/hw_pagetable.c',
    ),
    allocates: grants(
      'Allocates an hwpt whose domain translates what the IOAS maps; out_hwpt_id returns its id.',
    ),
  },
);

const SPECIFIED_FLAGS = HWPT_ALLOC_NEST_PARENT | HWPT_ALLOC_DIRTY_TRACKING | HWPT_ALLOC_PASID;

const isSpecified = (
  request: Request,
  device: Device,
  flags: number,
  dataType: number,
): boolean => {
  if (dataType !== HWPT_DATA_NONE) return false;
  if (flags === 0) return true;
  if (device.mock === undefined || (flags & ~SPECIFIED_FLAGS) !== 0) return false;
  return (flags & HWPT_ALLOC_PASID) === 0 || request.world.release.hwptAllocKnowsPasid;
};

export const hwptAlloc: Handler = (request): readonly Outcome[] => {
  const { world } = request;
  const fields = decode(IOMMU_HWPT_ALLOC, request.bytes);
  if (fields.__reserved !== 0) return [failed(hwptAllocRules.reservedField, world)];
  if ((fields.data_type === HWPT_DATA_NONE) !== (fields.data_len === 0)) {
    return [failed(hwptAllocRules.dataMismatch, world)];
  }
  const context = contextOfRequest(request);
  const device = deviceAt(context, fields.dev_id);
  if (device === undefined) return [failed(hwptAllocRules.noDevice, world)];
  const target = objectAt(context, fields.pt_id);
  if (target === undefined) return [failed(hwptAllocRules.noTarget, world)];
  if (target.kind === 'hwpt' || target.kind === 'unspecified') {
    const idAt = fieldOf(IOMMU_HWPT_ALLOC, 'out_hwpt_id').offset;
    return [makingObject(request, 'HWPT_ALLOC of a nested hwpt', idAt, [fields.pt_id])];
  }
  if (target.kind !== 'ioas') return [failed(hwptAllocRules.notATarget, world)];
  if (device.iommu === SOFTWARE_IOMMU && (fields.flags & SPECIFIED_FLAGS) !== 0) {
    return [failed(hwptAllocRules.flagsWithoutIommu, world)];
  }
  if (!isSpecified(request, device, fields.flags, fields.data_type)) {
    return [untrackingAll(request, 'HWPT_ALLOC with flags or data for the driver')];
  }
  const tracksDirty = (fields.flags & HWPT_ALLOC_DIRTY_TRACKING) !== 0;
  if (tracksDirty && device.mock?.noDirty === true) {
    return [failed(hwptAllocRules.noDirtyTracking, world)];
  }
  const domain = domainFor(device, templateFor(world, device, false), tracksDirty);
  const state = stateOfRequest(request);
  const id = lowestFreeId(context);
  const hwpt = { ioas: fields.pt_id, domain, automatic: false };
  const filled = withHwpt(state, id, hwpt);
  if (isRefused(filled)) return failuresBy(filled, world);
  const answer = respond(request, IOMMU_HWPT_ALLOC, { out_hwpt_id: id });
  if (!answer.whole) return [failed(respondRules.replyFault, world, [answer.write])];
  const after = withState(world, filled);
  const otherwise = (chosen: ObjectId): World => {
    const other = withHwpt(state, chosen, hwpt);
    return isRefused(other) ? after : withState(world, other);
  };
  const reply = withChoices(succeeded(hwptAllocRules.allocates, after, [answer.write]), {
    list: [idChoice(request, IOMMU_HWPT_ALLOC, 'out_hwpt_id', id)],
    world: ([chosen]) => otherwise(objectId(Number(chosen))),
  });
  return withMemoryDoubt(reply, world, true);
};
