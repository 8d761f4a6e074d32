// SPDX-License-Identifier: MIT
// Binding a device to an iommufd and attaching it: a physical device to a domain, an mdev to an IOAS, as an access.
// vfio_iommufd_physical_bind(), vfio_iommufd_emulated_bind() and the functions next to them in drivers/vfio/iommufd.c.

import type { ObjectId } from '../abi/units.ts';
import { iommuName, SOFTWARE_IOMMU, templateFor } from '../hardware/templates.ts';
import { attachAccess, detachAccess } from '../iommufd/access-attach.ts';
import { attach, detach, replace } from '../iommufd/attach.ts';
import { type Device, deviceAt, lowestFreeId, objectAt, withObject } from '../state/context.ts';
import type { FileId } from '../state/files.ts';
import type { IommufdState } from '../state/iommufd-state.ts';
import { boundDeviceOf, stateOf, type World } from '../state/world.ts';
import { isGroupInUse, type PlatformDevice } from '../terms/platform.ts';
import { isRefused, type Refused, refused, refuses, rulesOf } from '../terms/rule.ts';

export const bindingRules = rulesOf(
  {
    id: 'binding',
    title: 'binding a device',
    source: 'iommu_device_claim_dma_owner() in drivers/iommu/iommu.c',
  },
  {
    interruptsNotIsolated: refuses(
      'EPERM',
      'The IOMMU does not isolate interrupts, and iommufd.allow_unsafe_interrupts is off. The parameter of vfio_iommu_type1 does not count.',
      'iommufd_device_bind() in drivers/iommu/iommufd/device.c',
    ),
    groupInUse: refuses('EPERM', 'A kernel driver uses a device of the group.'),
    groupOwned: refuses('EPERM', 'Another device of the group is bound to another iommufd.'),
  },
);

/** Whether a device of the group is bound to another iommufd. */
const isOwnedByOther = (world: World, iommufd: FileId, group: number): boolean =>
  world.setting.platform.devices.some((device) => {
    if (device.group !== group || typeof device.iommu !== 'number') return false;
    const open = boundDeviceOf(world, device.name);
    return open !== undefined && open.iommufd !== iommufd;
  });

export type Bound = { readonly state: IommufdState; readonly object: ObjectId };

/**
 * Makes the device an object of the iommufd, unattached. `id` is the kernel's choice, by default the lowest free id.
 */
export const boundDevice = (
  world: World,
  iommufd: FileId,
  device: PlatformDevice,
  id?: ObjectId,
): Bound | Refused => {
  const state = stateOf(world, iommufd);
  const object = id ?? lowestFreeId(state.context);
  if (device.iommu === 'none') {
    const context = withObject(state.context, object, {
      kind: 'access',
      needsPins: true,
      ioas: undefined,
      pins: [],
      nextPin: 0,
    });
    return { state: { context, memory: state.memory }, object };
  }
  if (device.iommu === 'noiommu') {
    const alone: Device = {
      kind: 'device',
      iommu: SOFTWARE_IOMMU,
      // It is in no IOMMU group, and claims no DMA ownership.
      group: `no group: ${device.name}`,
      reserved: [],
      enforcesCacheCoherency: false,
      hwpt: undefined,
      mock: undefined,
    };
    const context = withObject(state.context, object, alone);
    return { state: { context, memory: state.memory }, object };
  }
  const { platform } = world.setting;
  if (platform.unsafeInterrupts?.iommufd === false) {
    return refused(bindingRules.interruptsNotIsolated);
  }
  if (isGroupInUse(platform, device.group)) return refused(bindingRules.groupInUse);
  if (isOwnedByOther(world, iommufd, device.group)) return refused(bindingRules.groupOwned);
  const bound: Device = {
    kind: 'device',
    iommu: iommuName(device.iommu),
    group: `group ${device.group}`,
    reserved: device.reserved,
    enforcesCacheCoherency:
      world.setting.platform.iommus[device.iommu]?.enforcesCacheCoherency ?? false,
    hwpt: undefined,
    mock: undefined,
  };
  return {
    state: { context: withObject(state.context, object, bound), memory: state.memory },
    object,
  };
};

export type AttachedTo = {
  readonly state: IommufdState;
  /** The hwpt, or for an mdev the IOAS, that it is attached to. */
  readonly target: ObjectId;
};

/**
 * Attaches the bound device to an IOAS or an hwpt, in place of what it was attached to. A new hwpt has the id `fresh`.
 * On refusal nothing changes.
 */
export const attachedDevice = (
  world: World,
  state: IommufdState,
  object: ObjectId,
  target: ObjectId,
  fresh: ObjectId,
): AttachedTo | Refused => {
  const device = deviceAt(state.context, object);
  if (device === undefined) {
    const attached = attachAccess(state, object, target);
    return isRefused(attached) ? attached : { state: attached, target };
  }
  const isFirst = device.hwpt === undefined;
  const connect = isFirst ? attach : replace;
  // If the device moves, the IOAS adds the new domain before the device is attached to it.
  const template = templateFor(world, device, isFirst);
  const attached = connect(state, object, target, { id: fresh, template });
  return isRefused(attached) ? attached : { state: attached.state, target: attached.hwpt };
};

/** Detaches the bound device. */
export const detachedDevice = (state: IommufdState, object: ObjectId): IommufdState =>
  objectAt(state.context, object)?.kind === 'access'
    ? detachAccess(state, object)
    : detach(state, object);
