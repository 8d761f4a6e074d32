// SPDX-License-Identifier: MIT
// A device of a VFIO group. The first open through its group binds and attaches it, or keeps the
// group in its legacy container; the last close undoes that. Through its cdev the program binds and
// attaches it. drivers/vfio/iommufd.c, drivers/vfio/vfio_main.c (vfio_df_open).

import { ERRNO } from '../../../spec/abi/errno.ts';
import type { DmaDirection } from '../../../spec/terms/call.ts';
import { Access } from '../access.ts';
import type { IommufdContext } from '../context.ts';
import type { Domain } from '../domain.ts';
import { type AttachableDevice, bindDevice, type IommufdDevice } from '../iommufd-device.ts';
import type { DmaEngine } from './dma-engine.ts';
import type { VfioGroup } from './vfio-group.ts';

const INT_MAX = 0x7fff_ffff;

/** How the device is bound to the iommufd. */
type Binding =
  | { readonly kind: 'device'; readonly device: IommufdDevice }
  | { readonly kind: 'access'; readonly access: Access };

export class VfioDevice {
  readonly name: string;
  readonly group: VfioGroup;
  /** A physical device without an IOMMU. */
  readonly isNoIommu: boolean;
  /** None for an mdev. */
  readonly physical: AttachableDevice | undefined;
  #binding: Binding | undefined;
  #attached = false;
  /** The attached PASIDs. */
  readonly #pasids = new Set<number>();
  #opened = 0;
  /** Opened through the legacy container, in which it keeps its group. */
  #usesContainer = false;
  readonly #engine: DmaEngine | undefined;

  constructor(
    name: string,
    group: VfioGroup,
    physical: AttachableDevice | undefined,
    engine?: DmaEngine,
    isNoIommu = false,
  ) {
    this.isNoIommu = isNoIommu;
    this.name = name;
    this.group = group;
    this.physical = physical;
    this.#engine = engine;
  }

  /** A DMA for the program. 0, or -errno: -ENODEV if the device cannot. */
  transfer(direction: DmaDirection, iova: bigint, length: number): number {
    const isOpen = this.#usesContainer || this.#binding?.kind === 'device';
    if (this.#engine === undefined || !isOpen) return -ERRNO.ENODEV;
    return this.#engine.transfer(this.#domain, direction, iova, length);
  }

  /** The domain of its DMA. */
  get #domain(): Domain | undefined {
    if (this.#binding?.kind === 'device') return this.#binding.device.hwpt?.domain;
    return this.group.container?.iommu?.domains.find(({ groups }) => groups.includes(this.group))
      ?.domain;
  }

  /**
   * Whether GET_DEVICE_FD's string names this device. A PCI device takes options after a space; one
   * that is not a virtual function knows none: -EINVAL.
   */
  matches(name: string): boolean | number {
    if (name === this.name) return true;
    if (this.physical === undefined || !name.startsWith(`${this.name} `)) return false;
    return /^ *$/.test(name.slice(this.name.length)) ? true : -ERRNO.EINVAL;
  }

  get emulated(): boolean {
    return this.physical === undefined;
  }

  /**
   * Through the group: 0, or -errno: -EPERM if another iommufd has the group, -ENODEV without a
   * compatibility IOAS, -EINVAL if the group's legacy container has no IOMMU set. Without an IOMMU
   * nothing is bound; -EPERM for an unprivileged process, and if the iommufd could map for it.
   */
  openByGroup(privileged: boolean): number {
    if (this.#opened === 0) {
      const { iommufd } = this.group;
      const error =
        iommufd === undefined
          ? this.group.useContainer(privileged)
          : this.isNoIommu
            ? this.#openUnbound(iommufd, privileged)
            : this.#bindTo(iommufd);
      if (error !== 0) return error;
      this.#usesContainer = iommufd === undefined;
    }
    this.#opened += 1;
    return 0;
  }

  /** Through its cdev, which only one file may do: 0, or -errno. */
  openByFile(context: IommufdContext): number {
    if (this.#opened > 0) return -ERRNO.EINVAL;
    const error = this.#bind(context);
    if (error === 0) this.#opened = 1;
    return error;
  }

  close(): void {
    this.#opened -= 1;
    if (this.#opened > 0) return;
    if (this.#usesContainer) this.group.unuseContainer();
    else this.#unbind();
    this.#usesContainer = false;
  }

  #openUnbound({ compatIoas, kernel }: IommufdContext, privileged: boolean): number {
    const expectsNothing = compatIoas === undefined || kernel.defects.has('noiommu-beside-an-ioas');
    return privileged && expectsNothing ? 0 : -ERRNO.EPERM;
  }

  #bindTo(context: IommufdContext): number {
    const error = this.#bind(context) || this.#attachCompat(context);
    if (error !== 0) this.#unbind();
    return error;
  }

  /** The bound device's id in the iommufd. */
  get objectId(): number {
    const binding = this.#binding;
    return binding?.kind === 'device' ? binding.device.id : (binding?.access.id ?? 0);
  }

  /**
   * Attaches the device, or moves it. Returns the id of the hwpt, or for an mdev of the IOAS, or
   * -errno.
   */
  attach(id: number): number {
    const binding = this.#binding;
    if (binding === undefined) return -ERRNO.EINVAL;
    if (binding.kind === 'access') {
      const { access } = binding;
      const error = this.#attached ? access.replace(id) : access.attach(id);
      if (error !== 0) return error;
      this.#attached = true;
      return id;
    }
    const { device } = binding;
    const attached = this.#attached ? device.replace(id) : device.attach(id);
    if (typeof attached === 'number') return attached;
    this.#attached = true;
    return attached.hwpt;
  }

  detach(): void {
    if (!this.#attached) return;
    this.#attached = false;
    if (this.#binding?.kind === 'access') this.#binding.access.detach();
    else this.#binding?.device.detach();
  }

  /** Attaches a PASID of a device with an IOMMU. */
  attachPasid(pasid: number, id: number): number {
    if (this.#binding?.kind !== 'device') return -ERRNO.EINVAL;
    const { device } = this.#binding;
    const known = this.#hasPasid(pasid);
    if (!known && pasid > INT_MAX) return -ERRNO.ENOSPC;
    const attached = known ? device.replacePasid(pasid, id) : device.attachPasid(pasid, id);
    if (typeof attached === 'number') return attached;
    this.#pasids.add(pasid);
    return attached.hwpt;
  }

  detachPasid(pasid: number): void {
    if (!this.#pasids.delete(pasid) || this.#binding?.kind !== 'device') return;
    this.#binding.device.detach();
  }

  /**
   * A lookup of a PASID that is too large returns -EINVAL, which the caller compares with the
   * PASID.
   */
  #hasPasid(pasid: number): boolean {
    return pasid > INT_MAX ? pasid === -ERRNO.EINVAL >>> 0 : this.#pasids.has(pasid);
  }

  #bind(context: IommufdContext): number {
    if (this.physical === undefined) {
      this.#binding = { kind: 'access', access: new Access(context, true, () => {}) };
      return 0;
    }
    const device = bindDevice(context, this.physical);
    if (typeof device === 'number') return device;
    this.#binding = { kind: 'device', device };
    return 0;
  }

  #attachCompat(context: IommufdContext): number {
    const ioas = context.compatIoas;
    if (ioas === undefined) return -ERRNO.ENODEV;
    const attached = this.attach(ioas.id);
    return attached < 0 ? attached : 0;
  }

  #unbind(): void {
    const binding = this.#binding;
    if (binding?.kind === 'device') {
      for (const pasid of this.#pasids) this.detachPasid(pasid);
      this.detach();
      binding.device.unbind();
    }
    if (binding?.kind === 'access') {
      binding.access.end();
      this.#attached = false;
    }
    this.#binding = undefined;
  }
}
