// A device of a VFIO group, and its descriptors. It is bound to the iommufd when it is first opened, or holds the group in its
// legacy container, and is let go when it is last closed. drivers/vfio/iommufd.c, drivers/vfio/vfio_main.c (vfio_df_open).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { Access } from '../access.ts';
import type { IommufdContext } from '../context.ts';
import { OpenFile } from '../files.ts';
import { type AttachableDevice, bindDevice, type IommufdDevice } from '../iommufd-device.ts';
import type { VfioGroup } from './vfio-group.ts';

/** How the device takes part in the iommufd. */
type Binding =
  | { readonly kind: 'device'; readonly device: IommufdDevice }
  | { readonly kind: 'access'; readonly access: Access };

export class VfioDevice {
  readonly name: string;
  readonly group: VfioGroup;
  /** None for a mediated device, which has no IOMMU of its own. */
  readonly physical: AttachableDevice | undefined;
  #binding: Binding | undefined;
  #attached = false;
  #opened = 0;

  constructor(name: string, group: VfioGroup, physical: AttachableDevice | undefined) {
    this.name = name;
    this.group = group;
    this.physical = physical;
  }

  /**
   * Whether GET_DEVICE_FD's string means this device. A PCI device takes options behind a blank, of which a
   * device that is no virtual function knows none: -EINVAL.
   */
  matches(name: string): boolean | number {
    if (name === this.name) return true;
    if (this.physical === undefined || !name.startsWith(`${this.name} `)) return false;
    return name.slice(this.name.length).trim() === '' ? true : -ERRNO.EINVAL;
  }

  /**
   * 0, or -errno: -EPERM where another iommufd has the group, -ENODEV without a compatibility IOAS, -EINVAL where the group is
   * in a legacy container that SET_IOMMU was not called on.
   */
  open(): number {
    if (this.#opened === 0) {
      const { iommufd } = this.group;
      const error = iommufd === undefined ? this.group.useContainer() : this.#bindTo(iommufd);
      if (error !== 0) return error;
    }
    this.#opened += 1;
    return 0;
  }

  close(): void {
    this.#opened -= 1;
    if (this.#opened > 0) return;
    if (this.#binding === undefined) this.group.unuseContainer();
    else this.#unbind();
  }

  #bindTo(context: IommufdContext): number {
    const error = this.#bind(context) || this.#attach(context);
    if (error !== 0) this.#unbind();
    return error;
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

  #attach(context: IommufdContext): number {
    const ioas = context.compatIoas;
    if (ioas === undefined || this.#binding === undefined) return -ERRNO.ENODEV;
    if (this.#binding.kind === 'access') return this.#binding.access.attach(ioas.id);
    const attached = this.#binding.device.attach(ioas.id);
    if (typeof attached === 'number') return attached;
    this.#attached = true;
    return 0;
  }

  #unbind(): void {
    const binding = this.#binding;
    this.#binding = undefined;
    if (binding?.kind === 'access') binding.access.end();
    if (binding?.kind === 'device') {
      if (this.#attached) binding.device.detach();
      this.#attached = false;
      binding.device.unbind();
    }
  }
}

/** A descriptor of an open device. What it answers itself is not emulated. */
export class VfioDeviceFile extends OpenFile {
  readonly #device: VfioDevice;

  constructor(device: VfioDevice) {
    super();
    this.#device = device;
  }

  protected override released(): void {
    this.#device.close();
  }
}
