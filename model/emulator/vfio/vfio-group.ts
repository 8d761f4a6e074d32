// SPDX-License-Identifier: MIT
// A VFIO group and its descriptor, /dev/vfio/N or /dev/vfio/noiommu-N. It is in a legacy container,
// or uses an iommufd instead. Open devices keep the iommufd, and in a legacy container the group's
// file. drivers/vfio/group.c, drivers/vfio/container.c.

import { ERRNO } from '../../../spec/abi/errno.ts';
import { PAGE_SIZE } from '../../../spec/abi/units.ts';
import {
  VFIO_GROUP_FLAGS_CONTAINER_SET,
  VFIO_GROUP_FLAGS_VIABLE,
  VFIO_GROUP_GET_DEVICE_FD,
  VFIO_GROUP_GET_STATUS,
  VFIO_GROUP_SET_CONTAINER,
  VFIO_GROUP_STATUS,
  VFIO_GROUP_UNSET_CONTAINER,
} from '../../../spec/abi/vfio.ts';
import type { IovaRange } from '../../../spec/terms/platform.ts';
import { offsetsOf, Struct } from '../command.ts';
import { ensureCompatIoas, enterNoIommuMode } from '../compat/compat-ioas.ts';
import { IommufdContext } from '../context.ts';
import type { Hardware } from '../domain.ts';
import { OpenFile } from '../files.ts';
import type { IommuGroup } from '../iommu-group.ts';
import type { Kernel } from '../kernel.ts';
import { type Container, ContainerFile } from '../type1/container.ts';
import type { VfioDevice } from './vfio-device.ts';
import { VfioDeviceFile } from './vfio-device-file.ts';

const STATUS = offsetsOf(VFIO_GROUP_STATUS);

export class VfioGroup {
  readonly iommuGroup: IommuGroup;
  readonly devices: VfioDevice[] = [];
  readonly number: number;
  openedFile: VfioGroupFile | undefined = undefined;
  /** How many of its devices are bound through their cdevs. */
  boundByFile = 0;
  iommufd: IommufdContext | undefined = undefined;
  container: Container | undefined = undefined;
  /** Devices that are open through the container. */
  #containerUsers = 0;

  constructor(number: number, iommuGroup: IommuGroup) {
    this.number = number;
    this.iommuGroup = iommuGroup;
  }

  /** Its devices are physical and have no IOMMU. */
  get isNoIommu(): boolean {
    return this.devices[0]?.isNoIommu === true;
  }

  /** The IOMMU of its first device, if any. */
  get hardware(): Hardware | undefined {
    return this.isNoIommu ? undefined : this.devices[0]?.physical?.hardware;
  }

  /** The reserved ranges of all its devices. */
  get reserved(): readonly IovaRange[] {
    return this.devices.flatMap(({ physical }) => physical?.reserved ?? []);
  }

  get isInContainer(): boolean {
    return this.iommufd !== undefined || this.container !== undefined;
  }

  get isUsed(): boolean {
    return this.#containerUsers > 0;
  }

  /**
   * 0, or -errno: -EINVAL if the container has no IOMMU set, -EPERM for no-IOMMU without privilege.
   */
  useContainer(privileged: boolean): number {
    if (this.container?.hasDriver !== true) return -ERRNO.EINVAL;
    if (this.isNoIommu && !privileged) return -ERRNO.EPERM;
    this.#containerUsers += 1;
    this.openedFile?.hold();
    return 0;
  }

  unuseContainer(): void {
    this.#containerUsers -= 1;
    this.openedFile?.put();
  }

  leaveContainer(): void {
    this.container?.leave(this);
    this.container = undefined;
    this.iommufd?.put();
    this.iommufd = undefined;
  }
}

export class VfioGroupFile extends OpenFile {
  readonly #kernel: Kernel;
  readonly #group: VfioGroup;

  constructor(kernel: Kernel, group: VfioGroup) {
    super();
    this.#kernel = kernel;
    this.#group = group;
    group.openedFile = this;
  }

  override ioctl(command: number, argument: bigint): number {
    switch (command) {
      case VFIO_GROUP_GET_DEVICE_FD:
        return this.#getDevice(argument);
      case VFIO_GROUP_GET_STATUS:
        return this.#getStatus(argument);
      case VFIO_GROUP_SET_CONTAINER:
        return this.#setContainer(argument);
      case VFIO_GROUP_UNSET_CONTAINER:
        return this.#unsetContainer();
      default:
        return -ERRNO.ENOTTY;
    }
  }

  protected override released(): void {
    this.#group.leaveContainer();
    this.#group.openedFile = undefined;
  }

  #getStatus(argument: bigint): number {
    const bytes = this.#kernel.user.read(argument, VFIO_GROUP_STATUS.size);
    if (bytes === undefined) return -ERRNO.EFAULT;
    const status = new Struct(bytes);
    if (status.u32(STATUS.argsz) < VFIO_GROUP_STATUS.size) return -ERRNO.EINVAL;
    let flags = 0;
    if (this.#group.isInContainer) {
      flags = VFIO_GROUP_FLAGS_CONTAINER_SET | VFIO_GROUP_FLAGS_VIABLE;
    } else if (!this.#group.iommuGroup.claimed) {
      flags = VFIO_GROUP_FLAGS_VIABLE;
    }
    status.setU32(STATUS.flags, flags);
    return this.#kernel.user.write(argument, status.bytes) ? 0 : -ERRNO.EFAULT;
  }

  #setContainer(argument: bigint): number {
    const bytes = this.#kernel.user.read(argument, 4);
    if (bytes === undefined) return -ERRNO.EFAULT;
    const file = this.#kernel.files.get(new Struct(bytes).i32(0));
    if (file === undefined) return -ERRNO.EBADF;
    if (this.#group.isInContainer) return -ERRNO.EINVAL;
    if (file instanceof ContainerFile) {
      const error = file.container.join(this.#group);
      if (error === 0) this.#group.container = file.container;
      return error;
    }
    if (!(file instanceof IommufdContext)) return -ERRNO.EBADFD;
    const refused = this.#group.isNoIommu ? enterNoIommuMode(file) : ensureCompatIoas(file);
    if (refused !== 0) return refused;
    file.hold();
    this.#group.iommufd = file;
    return 0;
  }

  #unsetContainer(): number {
    if (!this.#group.isInContainer) return -ERRNO.EINVAL;
    const staysUsed = !this.#kernel.defects.has('type1-leaves-with-open-device');
    if (this.#group.isUsed && staysUsed) return -ERRNO.EBUSY;
    this.#group.leaveContainer();
    return 0;
  }

  #getDevice(argument: bigint): number {
    const name = this.#readName(argument);
    if (typeof name === 'number') return name;
    const device = this.#find(name);
    if (typeof device === 'number') return device;
    if (!this.#group.isInContainer) return -ERRNO.EINVAL;
    const error = device.openByGroup(this.#kernel.credentials.privileged);
    return error === 0
      ? this.#kernel.files.open(new VfioDeviceFile(this.#kernel, device, 'group'))
      : error;
  }

  #find(name: string): VfioDevice | number {
    for (const device of this.#group.devices) {
      const matches = device.matches(name);
      if (typeof matches === 'number') return matches;
      if (matches) return device;
    }
    return -ERRNO.ENODEV;
  }

  /** A string of at most a page with its zero byte. -EFAULT, or -EINVAL if it is longer. */
  #readName(argument: bigint): string | number {
    const bytes = new Uint8Array(PAGE_SIZE);
    const count = this.#kernel.user.readInto(bytes, argument);
    const end = bytes.subarray(0, count).indexOf(0);
    if (end < 0) return count < PAGE_SIZE ? -ERRNO.EFAULT : -ERRNO.EINVAL;
    return Array.from(bytes.subarray(0, end), (byte) => String.fromCharCode(byte)).join('');
  }
}
