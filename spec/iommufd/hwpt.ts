// SPDX-License-Identifier: MIT
// Making and dropping hwpts, the objects around domains: iommufd_hwpt_paging_alloc() and
// iommufd_hwpt_paging_destroy() in drivers/iommu/iommufd/hw_pagetable.c.

import type { ObjectId } from '../abi/units.ts';
import type { DomainTemplate } from '../hardware/templates.ts';
import { withDomain, withoutDomain } from '../iopt/domains.ts';
import { type Device, hwptAt, usersOf, withObject, withoutObject } from '../state/context.ts';
import type { HardwareDomain } from '../state/domain.ts';
import type { IommufdState } from '../state/iommufd-state.ts';
import { isRefused, type Refused } from '../terms/rule.ts';

/** A domain for the device, not yet in any table. */
export const domainFor = (
  device: Device,
  template: DomainTemplate,
  tracksDirty: boolean,
): HardwareDomain => ({
  iommu: device.iommu,
  pageSizes: template.pageSizes,
  aperture: template.aperture,
  mapsWithoutPermission: template.mapsWithoutPermission,
  readsWhereItWrites: template.readsWhereItWrites,
  enforcesCacheCoherency: device.enforcesCacheCoherency,
  tracksDirty,
});

/** The state with an hwpt of that id whose domain follows the IOAS. */
export const withHwpt = (
  state: IommufdState,
  id: ObjectId,
  ioas: ObjectId,
  domain: HardwareDomain,
  automatic: boolean,
): IommufdState | Refused => {
  const added = withDomain(state, ioas, id, domain);
  return isRefused(added)
    ? added
    : {
        context: withObject(added.context, id, {
          kind: 'hwpt',
          ioas,
          automatic,
          domain,
          tracking: false,
          dirty: [],
        }),
        memory: added.memory,
      };
};

/** The state without the hwpt, whose users are gone. */
export const withoutHwpt = (state: IommufdState, id: ObjectId): IommufdState => {
  const hwpt = hwptAt(state.context, id);
  if (hwpt === undefined) return state;
  const emptied = withoutDomain(state, hwpt.ioas, id);
  return { context: withoutObject(emptied.context, id), memory: emptied.memory };
};

/** The state after a device let go of the hwpt: one that an attach made is gone with its last device. */
export const withHwptReleased = (state: IommufdState, id: ObjectId): IommufdState => {
  const hwpt = hwptAt(state.context, id);
  return hwpt?.automatic === true && usersOf(state.context, id) === 0
    ? withoutHwpt(state, id)
    : state;
};
