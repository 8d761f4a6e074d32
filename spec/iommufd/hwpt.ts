// SPDX-License-Identifier: MIT
// Making and destroying hwpts, the objects that have a domain: iommufd_hwpt_paging_alloc() and
// iommufd_hwpt_paging_destroy() in drivers/iommu/iommufd/hw_pagetable.c.

import type { ObjectId } from '../abi/units.ts';
import type { DomainTemplate } from '../hardware/templates.ts';
import { withDomain, withoutDomain } from '../iopt/domains.ts';
import {
  type Device,
  type Hwpt,
  hwptAt,
  usersOf,
  withObject,
  withoutObject,
} from '../state/context.ts';
import type { HardwareDomain } from '../state/domain.ts';
import type { IommufdState } from '../state/iommufd-state.ts';
import { isRefused, type Refused } from '../terms/rule.ts';

/** A new domain for the device, in no IOAS yet. */
export const domainFor = (
  device: Device,
  template: DomainTemplate,
  tracksDirty: boolean,
): HardwareDomain => ({
  iommu: device.iommu,
  pageSizes: template.pageSizes,
  aperture: template.aperture,
  mapsWithoutPermission: template.mapsWithoutPermission,
  writeImpliesRead: template.writeImpliesRead,
  enforcesCacheCoherency: device.enforcesCacheCoherency,
  tracksDirty,
});

/** Makes an hwpt whose domain translates the IOAS. */
export const withHwpt = (
  state: IommufdState,
  id: ObjectId,
  { ioas, domain, automatic }: Pick<Hwpt, 'ioas' | 'domain' | 'automatic'>,
): IommufdState | Refused => {
  const added = withDomain(state, ioas, id, domain);
  if (isRefused(added)) return added;
  const hwpt: Hwpt = { kind: 'hwpt', ioas, automatic, domain, tracking: false, dirty: [] };
  return { context: withObject(added.context, id, hwpt), memory: added.memory };
};

/** Destroys an hwpt without users. */
export const withoutHwpt = (state: IommufdState, id: ObjectId): IommufdState => {
  const hwpt = hwptAt(state.context, id);
  if (hwpt === undefined) return state;
  const emptied = withoutDomain(state, hwpt.ioas, id);
  return { context: withoutObject(emptied.context, id), memory: emptied.memory };
};

/** Destroys the hwpt, which a device has left, if it is automatic and has no other device. */
export const withHwptReleased = (state: IommufdState, id: ObjectId): IommufdState => {
  const hwpt = hwptAt(state.context, id);
  return hwpt?.automatic === true && usersOf(state.context, id) === 0
    ? withoutHwpt(state, id)
    : state;
};
