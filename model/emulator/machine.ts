// SPDX-License-Identifier: MIT
// The emulated machine: system calls of one process on one emulated kernel, and its hidden state.

import { zeroBytes } from '../../spec/abi/bytes.ts';
import { ERRNO } from '../../spec/abi/errno.ts';
import { VFIO_CONTAINER_PATH } from '../../spec/abi/vfio.ts';
import type { Backing, DmaDirection, Protection, StatusField } from '../../spec/terms/call.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import type { HiddenState, InspectableMachine } from '../machine/machine.ts';
import { IommufdContext } from './context.ts';
import type { DefectName } from './defects.ts';
import type { OpenFile } from './files.ts';
import { hiddenStateOf } from './hidden-state.ts';
import { violationsOf } from './invariants.ts';
import { Kernel } from './kernel.ts';
import type { FileStore } from './memory/address-space.ts';
import { Memfd } from './memory/memfd.ts';
import { ContainerFile } from './type1/container.ts';
import { VfioDeviceFile } from './vfio/vfio-device-file.ts';
import { VfioGroupFile } from './vfio/vfio-group.ts';

const NO_DEFECTS: ReadonlySet<DefectName> = new Set();
const PAGE_MASK = 0xfffn;
/** Groups without an IOMMU have a prefix. */
const GROUP_PATH = /^\/dev\/vfio\/(noiommu-)?(0|[1-9][0-9]*)$/;
const DEVICE_PATH = /^\/dev\/vfio\/devices\/(noiommu-)?vfio(0|[1-9][0-9]*)$/;

/**
 * A fresh machine: nothing is open, nothing is mapped. `defects` names the defects to switch on. A
 * call throws MachineDied if a defect leads to a state that the kernel would not survive.
 */
export class EmulatedMachine implements InspectableMachine {
  readonly #kernel: Kernel;

  constructor(setting: Setting, options: { readonly defects?: ReadonlySet<DefectName> } = {}) {
    this.#kernel = new Kernel(setting, options.defects ?? NO_DEFECTS);
  }

  open(path: string): number {
    const file = this.#openFile(path);
    return typeof file === 'number' ? file : this.#kernel.files.open(file);
  }

  close(fd: number): number {
    return this.#kernel.files.close(fd);
  }

  ioctl(fd: number, command: number, argument: bigint): number {
    const file = this.#kernel.files.get(fd);
    return file === undefined ? -ERRNO.EBADF : file.ioctl(command >>> 0, argument);
  }

  memfd(length: bigint): number {
    return this.#kernel.files.open(new Memfd(this.#kernel.frames, length));
  }

  mmap(
    address: bigint,
    length: bigint,
    protection: Protection,
    shared: boolean,
    backing: Backing,
  ): number {
    const store = this.#storeOf(backing);
    if (typeof store === 'number') return store;
    if (store === 'page of an iommufd') {
      const error = this.#kernel.space.unmap(address, length);
      return error === 0 ? (shared ? -ERRNO.ENXIO : -ERRNO.EINVAL) : error;
    }
    return this.#kernel.space.map(address, length, protection, store);
  }

  munmap(address: bigint, length: bigint): number {
    return this.#kernel.space.unmap(address, length);
  }

  load(address: bigint, length: number): Uint8Array {
    const bytes = zeroBytes(length);
    return bytes.subarray(0, this.#kernel.user.readInto(bytes, address));
  }

  store(address: bigint, bytes: Uint8Array): number {
    return this.#kernel.user.store(address, bytes);
  }

  dma(fd: number, direction: DmaDirection, iova: bigint, length: number): number {
    const file = this.#kernel.files.get(fd);
    if (file === undefined) return -ERRNO.EBADF;
    return file instanceof VfioDeviceFile ? file.transfer(direction, iova, length) : -ERRNO.ENODEV;
  }

  status(field: StatusField): number {
    const { locked, pinned } = this.#kernel.accounts;
    return field === 'VmLck' ? locked : pinned;
  }

  hiddenState(): HiddenState {
    return hiddenStateOf(this.#kernel);
  }

  /**
   * The invariants that do not hold, as sentences: a defect of the emulator, or one switched on.
   */
  violations(): readonly string[] {
    return violationsOf(this.#kernel);
  }

  #openFile(path: string): OpenFile | number {
    if (path === '/dev/iommu') return new IommufdContext(this.#kernel);
    if (path === VFIO_CONTAINER_PATH) return new ContainerFile(this.#kernel);
    const [, ownPrefix, own] = DEVICE_PATH.exec(path) ?? [];
    if (own !== undefined) return this.#openDevice(Number(own), ownPrefix !== undefined);
    const [, prefix, number] = GROUP_PATH.exec(path) ?? [];
    const group = number === undefined ? undefined : this.#kernel.devices.group(Number(number));
    if (group === undefined || group.isNoIommu !== (prefix !== undefined)) return -ERRNO.ENOENT;
    if (group.isNoIommu && !this.#kernel.credentials.privileged) return -ERRNO.EPERM;
    if (group.boundByFile > 0) return -ERRNO.EBUSY;
    if (group.openedFile !== undefined && !this.#kernel.defects.has('second-open-of-group'))
      return -ERRNO.EBUSY;
    return new VfioGroupFile(this.#kernel, group);
  }

  #openDevice(number: number, isNoIommu: boolean): OpenFile | number {
    const device = this.#kernel.devices.cdev(number, isNoIommu);
    if (device === undefined) return -ERRNO.ENOENT;
    if (isNoIommu && !this.#kernel.credentials.privileged) return -ERRNO.EPERM;
    return new VfioDeviceFile(this.#kernel, device, 'own file');
  }

  #storeOf(
    backing: Backing,
  ): FileStore | 'anonymous' | 'device' | 'huge' | 'page of an iommufd' | number {
    if (backing.kind !== 'memfd') return backing.kind;
    if ((backing.offset & PAGE_MASK) !== 0n) return -ERRNO.EINVAL;
    const file = this.#kernel.files.get(backing.fd);
    if (file === undefined) return -ERRNO.EBADF;
    if (file instanceof IommufdContext && this.#kernel.release.iommufdsCanBeMapped) {
      return 'page of an iommufd';
    }
    if (!(file instanceof Memfd)) return -ERRNO.ENODEV;
    return { file, page: Number(backing.offset >> 12n) };
  }
}
