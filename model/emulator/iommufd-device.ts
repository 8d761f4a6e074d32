// SPDX-License-Identifier: MIT
// A device that is bound to an iommufd: how it and its group attach to a hwpt, move and detach.
// drivers/iommu/iommufd/device.c.

import { ERRNO } from '../../spec/abi/errno.ts';
import type { IovaRange } from '../../spec/terms/platform.ts';
import { MachineDied } from '../machine/machine.ts';
import type { IommufdContext } from './context.ts';
import type { Hardware } from './domain.ts';
import { abortHwpt, allocateHwpt, Hwpt } from './hwpt.ts';
import { Ioas } from './ioas.ts';
import type { IommuGroup } from './iommu-group.ts';
import { KernelObject } from './objects.ts';

/** A device behind an IOMMU, physical or mock. */
export interface AttachableDevice {
  /** What its domains are like. */
  readonly hardware: Hardware;
  readonly group: IommuGroup;
  readonly reserved: readonly IovaRange[];
  readonly canTrackDirty: boolean;
  /** The state of a mock device. */
  readonly mock: { readonly caches: readonly number[]; readonly pasidBits: number } | undefined;
}

/** The attachments of an IOMMU group in an iommufd: its attached devices and their common hwpt. */
export class AttachedGroup {
  hwpt: Hwpt | undefined = undefined;
  readonly devices: IommufdDevice[] = [];
}

type Attached = { readonly hwpt: number } | number;

export class IommufdDevice extends KernelObject {
  readonly context: IommufdContext;
  readonly hardware: AttachableDevice;
  readonly #group: AttachedGroup;

  constructor(context: IommufdContext, hardware: AttachableDevice, group: AttachedGroup) {
    super();
    this.context = context;
    this.hardware = hardware;
    this.#group = group;
  }

  /** The hwpt that it and its group are attached to. */
  get hwpt(): Hwpt | undefined {
    return this.#group.devices.includes(this) ? this.#group.hwpt : undefined;
  }

  override destroy(): void {
    this.hardware.group.release();
    if (this.hardware.mock === undefined) this.context.put();
  }

  /** Undoes bind. */
  unbind(): void {
    this.users -= 1;
    this.context.objects.remove(this.id);
  }

  /** Attaches to an IOAS or a hwpt. Returns the hwpt's id, or -errno. */
  attach(id: number): Attached {
    const result = this.#change(id, (hwpt) => ({ error: this.attachTo(hwpt) }), true);
    if (typeof result !== 'number') this.users += 1;
    return result;
  }

  /**
   * Attaches a PASID. No hwpt here was made for one, so only PASID 0, the device itself, attaches.
   */
  attachPasid(pasid: number, id: number): Attached {
    if (pasid === 0) return this.attach(id);
    return this.#change(id, () => ({ error: -ERRNO.EINVAL }), true);
  }

  /** Moves to another IOAS or hwpt without detaching. Returns the hwpt's id, or -errno. */
  replace(id: number): Attached {
    return this.#change(id, (hwpt) => this.#replaceBy(hwpt), false);
  }

  /** Moves an attached PASID; only PASID 0 ever is attached. */
  replacePasid(pasid: number, id: number): Attached {
    if (pasid === 0) return this.replace(id);
    return this.#change(id, () => ({ error: -ERRNO.EINVAL }), false);
  }

  detach(): void {
    const hwpt = this.leave();
    this.#putHwpt(hwpt);
    this.users -= 1;
  }

  /** 0, or -errno: -EBUSY if the device is attached, -EINVAL if the domain does not fit it. */
  attachTo(hwpt: Hwpt): number {
    const group = this.#group;
    if (group.devices.includes(this)) return -ERRNO.EBUSY;
    if (group.hwpt !== undefined && group.hwpt !== hwpt) return -ERRNO.EINVAL;
    const { table } = hwpt.ioas;
    const error = table.reserveForDevice(this.hardware.reserved, this.hardware);
    if (error !== 0) return error;
    if (group.devices.length === 0) {
      if (!this.#suits(hwpt)) {
        table.reserved.removeOf(this.hardware);
        return -ERRNO.EINVAL;
      }
      group.hwpt = hwpt;
    }
    hwpt.users += 1;
    group.devices.push(this);
    return 0;
  }

  /** Detaches the device from its hwpt, which keeps its use count. */
  leave(): Hwpt {
    const group = this.#group;
    const { hwpt } = group;
    if (hwpt === undefined) throw new MachineDied('a device is detached that is not attached');
    group.devices.splice(group.devices.indexOf(this), 1);
    if (group.devices.length === 0) group.hwpt = undefined;
    hwpt.ioas.table.reserved.removeOf(this.hardware);
    return hwpt;
  }

  #suits(hwpt: Hwpt): boolean {
    if (this.hardware.hardware.unwalked) return true;
    const { domain } = hwpt;
    if (domain.hardware.owner !== this.hardware.hardware.owner) return false;
    return !domain.dirtyTracking || this.hardware.canTrackDirty;
  }

  #replaceBy(hwpt: Hwpt): { readonly error: number; readonly old?: Hwpt } {
    const group = this.#group;
    const old = group.hwpt;
    if (old === undefined) return { error: -ERRNO.EINVAL };
    if (old === hwpt) return { error: 0 };
    const error = this.#reserveForGroup(hwpt, old);
    if (error !== 0) return { error };
    if (!this.#suits(hwpt)) {
      const { defects } = this.context.kernel;
      const fromOld = defects.has('failed-replace-unreserves-the-old');
      const { table } = (fromOld ? old : hwpt).ioas;
      // A move within one IOAS reserved nothing.
      if (fromOld || hwpt.ioas !== old.ioas) {
        for (const device of group.devices) table.reserved.removeOf(device.hardware);
      }
      // A page table that no hardware walks cannot be attached to a PASID.
      return { error: hwpt.domain.hardware.unwalked ? -ERRNO.ENODEV : -ERRNO.EINVAL };
    }
    if (hwpt.ioas !== old.ioas) {
      for (const device of group.devices) old.ioas.table.reserved.removeOf(device.hardware);
    }
    group.hwpt = hwpt;
    hwpt.users += group.devices.length;
    old.users -= group.devices.length - 1;
    return { error: 0, old };
  }

  #reserveForGroup(hwpt: Hwpt, old: Hwpt): number {
    if (hwpt.ioas === old.ioas) return 0;
    const { table } = hwpt.ioas;
    for (const device of this.#group.devices) {
      const error = table.reserveForDevice(device.hardware.reserved, device.hardware);
      if (error === 0) continue;
      for (const other of this.#group.devices) table.reserved.removeOf(other.hardware);
      return error;
    }
    return 0;
  }

  #putHwpt(hwpt: Hwpt): void {
    if (hwpt.automatic) this.context.objects.putAndTryDestroy(hwpt);
    else hwpt.users -= 1;
  }

  #change(
    id: number,
    change: (hwpt: Hwpt) => { readonly error: number; readonly old?: Hwpt },
    attachesFirst: boolean,
  ): Attached {
    const target = this.context.objects.get(id);
    if (target === undefined) return -ERRNO.ENOENT;
    if (target instanceof Ioas) return this.#changeToIoas(target, change, attachesFirst);
    if (!(target instanceof Hwpt)) return -ERRNO.EINVAL;
    const { error, old } = change(target);
    if (error !== 0) return error;
    if (old !== undefined) this.#putHwpt(old);
    return { hwpt: target.id };
  }

  /** Takes the first automatic hwpt that fits, or makes one. */
  #changeToIoas(
    ioas: Ioas,
    change: (hwpt: Hwpt) => { readonly error: number; readonly old?: Hwpt },
    attachesFirst: boolean,
  ): Attached {
    for (const hwpt of ioas.hwpts) {
      if (!hwpt.automatic) continue;
      const { error, old } = change(hwpt);
      if (error === -ERRNO.EINVAL) continue;
      if (error !== 0) return error;
      if (old !== undefined) this.#putHwpt(old);
      return { hwpt: hwpt.id };
    }
    const attach = attachesFirst ? (hwpt: Hwpt) => change(hwpt).error : undefined;
    const made = allocateHwpt(this.context, ioas, this, 0, attach);
    if (typeof made === 'number') return made;
    const { error, old } = attachesFirst ? { error: 0, old: undefined } : change(made);
    if (error !== 0) {
      abortHwpt(this.context, made);
      return error;
    }
    made.automatic = true;
    this.context.objects.publish(made);
    if (old !== undefined) this.#putHwpt(old);
    return { hwpt: made.id };
  }
}

/** Binds a device to an iommufd. -EPERM if its group has another owner. */
export const bindDevice = (
  context: IommufdContext,
  hardware: AttachableDevice,
): IommufdDevice | number => {
  const isReal = hardware.mock === undefined && hardware.hardware.unwalked !== true;
  const { unsafeInterrupts } = context.kernel.platform;
  if (isReal && unsafeInterrupts?.iommufd === false) return -ERRNO.EPERM;
  const error = hardware.group.claim(context);
  if (error !== 0) return error;
  const device = new IommufdDevice(context, hardware, context.attachedGroup(hardware.group));
  context.objects.reserve(device);
  if (hardware.mock === undefined) context.hold();
  device.users += 1;
  context.objects.publish(device);
  return device;
};
