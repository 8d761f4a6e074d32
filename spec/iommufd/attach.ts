// SPDX-License-Identifier: MIT
// Attaching devices, moving them to another hwpt, and detaching them: iommufd_device_change_pt() and what it calls in
// drivers/iommu/iommufd/device.c. A device is attached to an hwpt. An attach to an IOAS uses an automatic hwpt of the
// IOAS that fits, or a new one.

import type { ObjectId } from '../abi/units.ts';
import { nodesOf } from '../collections/ordered-map.ts';
import { type DomainTemplate, SOFTWARE_IOMMU } from '../hardware/templates.ts';
import { reserved, unreserved } from '../iopt/reserve.ts';
import {
  type Context,
  type Device,
  deviceAt,
  hwptAt,
  objectAt,
  tableOf,
  withObject,
  withTable,
} from '../state/context.ts';
import type { HardwareDomain } from '../state/domain.ts';
import type { IommufdState } from '../state/iommufd-state.ts';
import { isRefused, type Refused, refused, refuses, rulesOf } from '../terms/rule.ts';
import { domainFor, withHwpt, withHwptReleased } from './hwpt.ts';

export const attachingRules = rulesOf(
  {
    id: 'attaching',
    title: 'attaching a device',
    source: 'iommufd_device_change_pt() in drivers/iommu/iommufd/device.c',
  },
  {
    noTarget: refuses('ENOENT', 'No object has the id to attach to.'),
    notATarget: refuses('EINVAL', 'The object to attach to is neither an IOAS nor an hwpt.'),
    groupElsewhere: refuses(
      'EINVAL',
      'Another device of the group is attached to a different hwpt.',
      'iommufd_hw_pagetable_attach() in drivers/iommu/iommufd/device.c',
    ),
    incompatible: refuses(
      'EINVAL',
      'The domain is of another IOMMU, or tracks dirty pages and the device cannot. A device without an IOMMU takes any domain.',
      'iommufd_hwpt_attach_device() in drivers/iommu/iommufd/device.c',
    ),
    notForHardware: refuses(
      'ENODEV',
      'The device is attached and has an IOMMU, and the domain is for devices without one.',
      '__iommu_attach_device() in drivers/iommu/iommu.c',
    ),
  },
);

export type Attached = { readonly state: IommufdState; readonly hwpt: ObjectId };

/** A new hwpt, if one is needed: its id, and the properties of its domain. */
export type NewHwpt = { readonly id: ObjectId; readonly template: DomainTemplate };

/** An hwpt, which may not exist yet, with its IOAS and its domain. */
type HwptTarget = {
  readonly hwpt: ObjectId;
  readonly ioas: ObjectId;
  readonly domain: HardwareDomain;
};

const deviceOf = (context: Context, id: ObjectId): Device => {
  const device = deviceAt(context, id);
  if (device === undefined) throw new Error(`Object ${id} is to be attached and is not a device.`);
  return device;
};

/** The ids of the attached devices of the group, ascending. */
const attachedOfGroup = (context: Context, group: string): readonly ObjectId[] => {
  const ids: ObjectId[] = [];
  for (const { key, value } of nodesOf(context.objects)) {
    if (value.kind === 'device' && value.group === group && value.hwpt !== undefined) ids.push(key);
  }
  return ids;
};

const fits = (device: Device, domain: HardwareDomain): boolean =>
  device.iommu === SOFTWARE_IOMMU ||
  (device.iommu === domain.iommu && !(domain.tracksDirty && device.mock?.noDirty === true));

const withReservedOf = (
  state: IommufdState,
  ioas: ObjectId,
  id: ObjectId,
): IommufdState | Refused => {
  let table = tableOf(state.context, ioas);
  for (const range of deviceOf(state.context, id).reserved) {
    const next = reserved(table, range, { kind: 'device', device: id });
    if (isRefused(next)) return next;
    table = next;
  }
  return { context: withTable(state.context, ioas, table), memory: state.memory };
};

const withoutReservedOf = (state: IommufdState, ioas: ObjectId, id: ObjectId): IommufdState => ({
  context: withTable(
    state.context,
    ioas,
    unreserved(tableOf(state.context, ioas), { kind: 'device', device: id }),
  ),
  memory: state.memory,
});

const withDeviceOn = (state: IommufdState, id: ObjectId, hwpt: ObjectId | undefined) => ({
  context: withObject(state.context, id, { ...deviceOf(state.context, id), hwpt }),
  memory: state.memory,
});

/** Attaches the device to an hwpt. */
const attachedTo = (
  state: IommufdState,
  id: ObjectId,
  { hwpt, ioas, domain }: HwptTarget,
): IommufdState | Refused => {
  const device = deviceOf(state.context, id);
  const [sibling] = attachedOfGroup(state.context, device.group);
  if (sibling !== undefined && deviceOf(state.context, sibling).hwpt !== hwpt) {
    return refused(attachingRules.groupElsewhere);
  }
  const kept = withReservedOf(state, ioas, id);
  if (isRefused(kept)) return kept;
  if (sibling === undefined && !fits(device, domain)) return refused(attachingRules.incompatible);
  return withDeviceOn(kept, id, hwpt);
};

/** Moves the whole group of the device to an hwpt. */
const movedTo = (
  state: IommufdState,
  id: ObjectId,
  { hwpt, ioas, domain }: HwptTarget,
): IommufdState | Refused => {
  const device = deviceOf(state.context, id);
  const from = device.hwpt === undefined ? undefined : hwptAt(state.context, device.hwpt);
  if (device.hwpt === undefined || from === undefined) return refused(attachingRules.incompatible);
  if (device.hwpt === hwpt) return state;
  const members = attachedOfGroup(state.context, device.group);
  let result = state;
  if (from.ioas !== ioas) {
    for (const member of members) {
      const kept = withReservedOf(result, ioas, member);
      if (isRefused(kept)) return kept;
      result = kept;
    }
  }
  if (!fits(device, domain)) {
    return refused(
      domain.iommu === SOFTWARE_IOMMU ? attachingRules.notForHardware : attachingRules.incompatible,
    );
  }
  for (const member of members) {
    if (from.ioas !== ioas) result = withoutReservedOf(result, from.ioas, member);
    result = withDeviceOn(result, member, hwpt);
  }
  return withHwptReleased(result, device.hwpt);
};

type Connect = typeof attachedTo;

/** The automatic hwpts of an IOAS, in the order in which they were made. */
const automaticHwpts = (context: Context, ioas: ObjectId): readonly HwptTarget[] =>
  tableOf(context, ioas).domains.flatMap((hwpt) => {
    const found = hwptAt(context, hwpt);
    return found?.automatic === true ? [{ hwpt, ioas, domain: found.domain }] : [];
  });

/** Makes an automatic hwpt, and connects the device to it. A first attach checks the device before the IOAS is filled. */
const connectedToNew = (
  state: IommufdState,
  id: ObjectId,
  target: HwptTarget,
  connect: Connect,
): Attached | Refused => {
  const { hwpt, ioas, domain } = target;
  if (connect === attachedTo) {
    const attached = attachedTo(state, id, target);
    if (isRefused(attached)) return attached;
    const filled = withHwpt(attached, hwpt, { ioas, domain, automatic: true });
    return isRefused(filled) ? filled : { state: filled, hwpt };
  }
  const filled = withHwpt(state, hwpt, { ioas, domain, automatic: true });
  if (isRefused(filled)) return filled;
  const moved = connect(filled, id, target);
  return isRefused(moved) ? moved : { state: moved, hwpt };
};

const connectedToIoas = (
  state: IommufdState,
  id: ObjectId,
  ioas: ObjectId,
  fresh: NewHwpt,
  connect: Connect,
): Attached | Refused => {
  for (const target of automaticHwpts(state.context, ioas)) {
    const connected = connect(state, id, target);
    if (!isRefused(connected)) return { state: connected, hwpt: target.hwpt };
    // EINVAL means that another domain may fit; any other error is final.
    if (connected.refused.errno !== 'EINVAL') return connected;
  }
  const domain = domainFor(deviceOf(state.context, id), fresh.template, false);
  return connectedToNew(state, id, { hwpt: fresh.id, ioas, domain }, connect);
};

const connected = (
  state: IommufdState,
  id: ObjectId,
  target: ObjectId,
  fresh: NewHwpt,
  connect: Connect,
): Attached | Refused => {
  const object = objectAt(state.context, target);
  if (object === undefined) return refused(attachingRules.noTarget);
  if (object.kind === 'ioas') return connectedToIoas(state, id, target, fresh, connect);
  if (object.kind !== 'hwpt') return refused(attachingRules.notATarget);
  const { ioas, domain } = object;
  const done = connect(state, id, { hwpt: target, ioas, domain });
  return isRefused(done) ? done : { state: done, hwpt: target };
};

/** Attaches the device, which is not attached, to an IOAS or an hwpt. */
export const attach = (
  state: IommufdState,
  device: ObjectId,
  target: ObjectId,
  fresh: NewHwpt,
): Attached | Refused => connected(state, device, target, fresh, attachedTo);

/** Moves the device, which is attached, and its group to another IOAS or hwpt. On refusal nothing changes. */
export const replace = (
  state: IommufdState,
  device: ObjectId,
  target: ObjectId,
  fresh: NewHwpt,
): Attached | Refused => connected(state, device, target, fresh, movedTo);

/** Detaches the device. */
export const detach = (state: IommufdState, id: ObjectId): IommufdState => {
  const { hwpt } = deviceOf(state.context, id);
  const from = hwpt === undefined ? undefined : hwptAt(state.context, hwpt);
  if (hwpt === undefined || from === undefined) return state;
  const alone = withDeviceOn(state, id, undefined);
  return withHwptReleased(withoutReservedOf(alone, from.ioas, id), hwpt);
};
