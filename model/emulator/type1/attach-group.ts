// SPDX-License-Identifier: MIT
// Groups join and leave the container's IOMMU: their domain, the IOVAs that may be mapped, and the
// dmas in the domain. drivers/vfio/vfio_iommu_type1.c (vfio_iommu_type1_attach_group,
// vfio_iommu_type1_detach_group).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { U64_MAX } from '../../../spec/abi/units.ts';
import type { IovaRange } from '../../../spec/terms/platform.ts';
import type { Hardware } from '../domain.ts';
import type { VfioGroup } from '../vfio/vfio-group.ts';
import { apertureConflicts, reservedConflicts, within, without } from './iova-list.ts';
import { replay } from './map-pages.ts';
import { Type1Domain } from './type1-domain.ts';
import type { Type1Iommu } from './type1-iommu.ts';

/** The reserved ranges of all devices of the group. */
const reservedOf = (iommu: Type1Iommu, group: VfioGroup): readonly IovaRange[] =>
  iommu.kernel.defects.has('type1-reserved-not-excluded') ? [] : group.reserved;

/** The list with the group in it, or undefined if dmas conflict or nothing would be left. */
const narrowed = (
  iommu: Type1Iommu,
  group: VfioGroup,
  { aperture }: Hardware,
): readonly IovaRange[] | undefined => {
  if (apertureConflicts(iommu.iovas, iommu.dmas, aperture)) return undefined;
  const reserved = reservedOf(iommu, group);
  if (reservedConflicts(iommu.dmas, reserved)) return undefined;
  const list = without(within(iommu.iovas, aperture), reserved);
  return list.length === 0 ? undefined : list;
};

/** 0, or -errno with nothing changed. */
export const attachGroup = (iommu: Type1Iommu, group: VfioGroup): number => {
  if (iommu.invalidAddresses > 0) return -ERRNO.EBUSY;
  const { hardware } = group;
  if (hardware === undefined) {
    iommu.emulated.unshift(group);
    return 0;
  }
  if (iommu.nesting) return -ERRNO.EINVAL;
  const list = narrowed(iommu, group, hardware);
  if (list === undefined) return -ERRNO.EINVAL;
  if (iommu.kernel.platform.unsafeInterrupts?.type1 === false) return -ERRNO.EPERM;
  const fitting = iommu.domains.find((domain) => domain.hardware.owner === hardware.owner);
  if (fitting !== undefined) {
    fitting.groups.push(group);
  } else {
    const domain = new Type1Domain(hardware);
    const error = replay(iommu.kernel, iommu.domains, domain, iommu.dmas);
    if (error !== 0) return error;
    domain.groups.push(group);
    iommu.domains.unshift(domain);
    iommu.updatePageSizes();
  }
  iommu.iovas = list;
  iommu.unreportedWriters += 1;
  return 0;
};

const detachEmulated = (iommu: Type1Iommu, group: VfioGroup): void => {
  iommu.emulated.splice(iommu.emulated.indexOf(group), 1);
  if (iommu.emulated.length === 0 && iommu.domains.length === 0) iommu.removeAll();
};

const removeDomain = (iommu: Type1Iommu, domain: Type1Domain): void => {
  if (iommu.domains.length === 1) {
    if (iommu.emulated.length === 0) iommu.removeAll();
    else iommu.unpinAll();
  }
  iommu.domains.splice(iommu.domains.indexOf(domain), 1);
  iommu.updatePageSizes();
};

/** The IOVAs that every domain can translate. */
const commonAperture = (iommu: Type1Iommu): IovaRange => {
  let start = 0n;
  let last = U64_MAX;
  for (const { hardware } of iommu.domains) {
    if (hardware.aperture.start > start) start = hardware.aperture.start;
    if (hardware.aperture.last < last) last = hardware.aperture.last;
  }
  return { start, last };
};

/** Restores the IOVAs that the remaining groups allow, between the outermost IOVAs of the list. */
const widen = (iommu: Type1Iommu, bounds: IovaRange): void => {
  let list: readonly IovaRange[] = [bounds];
  for (const { groups } of iommu.domains) {
    for (const group of groups) list = without(list, reservedOf(iommu, group));
  }
  if (list.length > 0) iommu.iovas = list;
};

const boundsOf = (list: readonly IovaRange[]): IovaRange | undefined => {
  const [first] = list;
  const last = list.at(-1);
  return first === undefined || last === undefined
    ? undefined
    : { start: first.start, last: last.last };
};

export const detachGroup = (iommu: Type1Iommu, group: VfioGroup): void => {
  if (group.hardware === undefined) {
    detachEmulated(iommu, group);
    return;
  }
  const domain = iommu.domains.find(({ groups }) => groups.includes(group));
  if (domain === undefined) return;
  let bounds = boundsOf(iommu.iovas);
  domain.groups.splice(domain.groups.indexOf(group), 1);
  if (domain.groups.length === 0) {
    removeDomain(iommu, domain);
    bounds = commonAperture(iommu);
  }
  if (bounds !== undefined) widen(iommu, bounds);
  iommu.unreportedWriters -= 1;
  const { defects } = iommu.kernel;
  if (iommu.tracksDirty && !defects.has('type1-leaving-loses-dirty-pages')) iommu.dirtyAll();
};
