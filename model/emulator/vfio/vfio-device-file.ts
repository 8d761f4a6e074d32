// SPDX-License-Identifier: MIT
// A descriptor of a device, from its group or its cdev. Its driver's calls are not emulated.
// drivers/vfio/vfio_main.c (vfio_device_fops), drivers/vfio/device_cdev.c.

import { ERRNO } from '../../../spec/abi/errno.ts';
import {
  VFIO_DEVICE_ATTACH,
  VFIO_DEVICE_ATTACH_IOMMUFD_PT,
  VFIO_DEVICE_ATTACH_MINIMUM,
  VFIO_DEVICE_ATTACH_PASID,
  VFIO_DEVICE_BIND,
  VFIO_DEVICE_BIND_FLAG_TOKEN,
  VFIO_DEVICE_BIND_IOMMUFD,
  VFIO_DEVICE_BIND_MINIMUM,
  VFIO_DEVICE_DETACH,
  VFIO_DEVICE_DETACH_IOMMUFD_PT,
  VFIO_DEVICE_DETACH_MINIMUM,
  VFIO_DEVICE_DETACH_PASID,
  VFIO_TOKEN_LENGTH,
} from '../../../spec/abi/vfio.ts';
import type { DmaDirection } from '../../../spec/terms/call.ts';
import { offsetsOf, Struct } from '../command.ts';
import { IommufdContext } from '../context.ts';
import { OpenFile } from '../files.ts';
import type { Kernel } from '../kernel.ts';
import type { VfioDevice } from './vfio-device.ts';

const BIND = offsetsOf(VFIO_DEVICE_BIND);
const ATTACH = offsetsOf(VFIO_DEVICE_ATTACH);
const DETACH = offsetsOf(VFIO_DEVICE_DETACH);

export class VfioDeviceFile extends OpenFile {
  readonly #kernel: Kernel;
  readonly #device: VfioDevice;
  readonly #from: 'group' | 'own file';
  /** The iommufd that this file bound the device to. */
  #iommufd: IommufdContext | undefined;

  constructor(kernel: Kernel, device: VfioDevice, from: 'group' | 'own file') {
    super();
    this.#kernel = kernel;
    this.#device = device;
    this.#from = from;
  }

  override ioctl(command: number, argument: bigint): number {
    if (command === VFIO_DEVICE_BIND_IOMMUFD) return this.#bind(argument);
    if (this.#from === 'group') return -ERRNO.ENOTTY;
    if (this.#iommufd === undefined) return -ERRNO.EINVAL;
    if (command === VFIO_DEVICE_ATTACH_IOMMUFD_PT) return this.#attach(argument);
    if (command === VFIO_DEVICE_DETACH_IOMMUFD_PT) return this.#detach(argument);
    return -ERRNO.ENOTTY;
  }

  /** A DMA for the program. 0, or -errno: -ENODEV if the device cannot. */
  transfer(direction: DmaDirection, iova: bigint, length: number): number {
    if (this.#from === 'own file' && this.#iommufd === undefined) return -ERRNO.ENODEV;
    return this.#device.transfer(direction, iova, length);
  }

  protected override released(): void {
    if (this.#from === 'group') {
      this.#device.close();
      return;
    }
    if (this.#iommufd === undefined) return;
    this.#device.close();
    this.#iommufd.put();
    this.#device.group.boundByFile -= 1;
  }

  #bind(argument: bigint): number {
    const struct = this.#readBind(argument);
    if (typeof struct === 'number') return struct;
    const flags = struct.u32(BIND.flags);
    const known = this.#kernel.release.bindKnowsTokens ? VFIO_DEVICE_BIND_FLAG_TOKEN : 0;
    if (struct.i32(BIND.iommufd) < 0 || (flags & ~known) !== 0) return -ERRNO.EINVAL;
    if (this.#from === 'group') return -ERRNO.EINVAL;
    const { group } = this.#device;
    const { defects } = this.#kernel;
    if (group.openedFile !== undefined && !defects.has('bind-while-group-open'))
      return -ERRNO.EBUSY;
    if (this.#iommufd !== undefined) return -ERRNO.EINVAL;
    const hasToken = (flags & VFIO_DEVICE_BIND_FLAG_TOKEN) !== 0;
    if (hasToken) return this.#refuseToken(struct.u64(BIND.token_uuid_ptr));
    const iommufd = this.#kernel.files.get(struct.i32(BIND.iommufd));
    if (iommufd === undefined) return -ERRNO.EBADF;
    if (!(iommufd instanceof IommufdContext)) return -ERRNO.EBADFD;
    const error = this.#device.openByFile(iommufd);
    if (error !== 0) return error;
    struct.setU32(BIND.out_devid, this.#device.objectId);
    if (!this.#writeBack(argument, struct, BIND.out_devid)) {
      this.#device.close();
      return -ERRNO.EFAULT;
    }
    iommufd.hold();
    this.#iommufd = iommufd;
    group.boundByFile += 1;
    return 0;
  }

  /** The struct in its greatest length, extended with zeros, or -errno. */
  #readBind(argument: bigint): Struct | number {
    const { user, release, defects } = this.#kernel;
    const bytes = new Uint8Array(VFIO_DEVICE_BIND.size);
    const withToken = !defects.has('bind-refuses-tokens-as-too-long');
    const known = withToken ? bytes.length : VFIO_DEVICE_BIND_MINIMUM;
    if (!release.bindKnowsTokens) {
      const wanted = bytes.subarray(0, VFIO_DEVICE_BIND_MINIMUM);
      if (user.readInto(wanted, argument) < wanted.length) return -ERRNO.EFAULT;
      const struct = new Struct(bytes);
      return struct.u32(BIND.argsz) < VFIO_DEVICE_BIND_MINIMUM ? -ERRNO.EINVAL : struct;
    }
    const first = user.read(argument, 4);
    if (first === undefined) return -ERRNO.EFAULT;
    const size = new Struct(first).u32(0);
    if (size < VFIO_DEVICE_BIND_MINIMUM) return -ERRNO.EINVAL;
    if (size > known) {
      const tail = user.zeroed(argument + BigInt(known), size - known);
      if (tail !== 'zero') return tail === 'fault' ? -ERRNO.EFAULT : -ERRNO.E2BIG;
    }
    const wanted = bytes.subarray(0, Math.min(size, known));
    return user.readInto(wanted, argument) < wanted.length ? -ERRNO.EFAULT : new Struct(bytes);
  }

  /** No device here is a virtual function or has any, and an mdev ignores tokens. */
  #refuseToken(address: bigint): number {
    if (this.#device.emulated) return -ERRNO.EINVAL;
    const token = this.#kernel.user.read(address, VFIO_TOKEN_LENGTH);
    return token === undefined ? -ERRNO.EFAULT : -ERRNO.EINVAL;
  }

  #attach(argument: bigint): number {
    const struct = this.#read(argument, VFIO_DEVICE_ATTACH.size, VFIO_DEVICE_ATTACH_MINIMUM);
    if (typeof struct === 'number') return struct;
    const wanted = this.#pasid(argument, struct, VFIO_DEVICE_ATTACH_PASID, ATTACH.pasid);
    if (typeof wanted === 'number') return wanted;
    const { pasid } = wanted;
    const target = struct.u32(ATTACH.pt_id);
    const device = this.#device;
    const attached =
      pasid === undefined ? device.attach(target) : device.attachPasid(pasid, target);
    if (attached < 0) return attached;
    struct.setU32(ATTACH.pt_id, attached);
    if (this.#writeBack(argument, struct, ATTACH.pt_id)) return 0;
    if (!this.#kernel.defects.has('unanswered-attach-stays')) device.detach();
    return -ERRNO.EFAULT;
  }

  #detach(argument: bigint): number {
    const struct = this.#read(argument, VFIO_DEVICE_DETACH.size, VFIO_DEVICE_DETACH_MINIMUM);
    if (typeof struct === 'number') return struct;
    const wanted = this.#pasid(argument, struct, VFIO_DEVICE_DETACH_PASID, DETACH.pasid);
    if (typeof wanted === 'number') return wanted;
    if (wanted.pasid === undefined) this.#device.detach();
    else this.#device.detachPasid(wanted.pasid);
    return 0;
  }

  /** The first `minimum` bytes of a struct, extended with zeros, or -errno. */
  #read(argument: bigint, size: number, minimum: number): Struct | number {
    const struct = new Struct(new Uint8Array(size));
    const wanted = struct.bytes.subarray(0, minimum);
    if (this.#kernel.user.readInto(wanted, argument) < minimum) return -ERRNO.EFAULT;
    return struct.u32(ATTACH.argsz) < minimum ? -ERRNO.EINVAL : struct;
  }

  /** The PASID at the end of a struct, or -errno. */
  #pasid(
    argument: bigint,
    struct: Struct,
    flag: number,
    offset: number,
  ): { readonly pasid: number | undefined } | number {
    const flags = struct.u32(ATTACH.flags);
    const known = this.#kernel.release.attachKnowsPasids ? flag : 0;
    if ((flags & ~known) !== 0) return -ERRNO.EINVAL;
    if ((flags & flag) === 0) return { pasid: undefined };
    if (this.#device.emulated) return -ERRNO.EOPNOTSUPP;
    if (struct.u32(ATTACH.argsz) < offset + 4) return -ERRNO.EINVAL;
    const bytes = this.#kernel.user.read(argument + BigInt(offset), 4);
    return bytes === undefined ? -ERRNO.EFAULT : { pasid: new Struct(bytes).u32(0) };
  }

  /** Writes four bytes of the struct back. */
  #writeBack(argument: bigint, { bytes }: Struct, offset: number): boolean {
    return this.#kernel.user.write(argument + BigInt(offset), bytes.subarray(offset, offset + 4));
  }
}
