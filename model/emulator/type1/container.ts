// SPDX-License-Identifier: MIT
// The container of an open /dev/vfio/vfio. Its groups keep it after its descriptor is closed.
// drivers/vfio/container.c.

import { ERRNO } from '../../../spec/abi/errno.ts';
import {
  VFIO_NOIOMMU_IOMMU,
  VFIO_TYPE1_IOMMU,
  VFIO_TYPE1_NESTING_IOMMU,
  VFIO_TYPE1v2_IOMMU,
  VFIO_UNMAP_ALL,
} from '../../../spec/abi/vfio.ts';
import { OpenFile } from '../files.ts';
import type { Kernel } from '../kernel.ts';
import type { VfioGroup } from '../vfio/vfio-group.ts';
import { attachGroup, detachGroup } from './attach-group.ts';
import { containerCall } from './container-call.ts';
import { Type1Iommu } from './type1-iommu.ts';

export class Container {
  readonly kernel: Kernel;
  /** The latest first. */
  readonly groups: VfioGroup[] = [];
  /** Set from SET_IOMMU until the last group leaves. */
  iommu: Type1Iommu | undefined = undefined;
  /** SET_IOMMU succeeded for no-IOMMU groups; they get no IOMMU object. */
  hasNoIommu = false;
  #references = 1;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    kernel.containers.add(this);
  }

  put(): void {
    this.#references -= 1;
    if (this.#references === 0) this.kernel.containers.delete(this);
  }

  get hasDriver(): boolean {
    return this.iommu !== undefined || this.hasNoIommu;
  }

  /** Whether a driver serves its groups. No-IOMMU groups never share a container with others. */
  mayUse(driver: 'type1' | 'noiommu'): boolean {
    const [group] = this.groups;
    return group === undefined || group.isNoIommu === (driver === 'noiommu');
  }

  /**
   * SET_IOMMU. 0, or -errno: -ENODEV if no driver knows the type, -EINVAL if it does not fit the
   * container.
   */
  setIommu(type: bigint): number {
    if (this.groups.length === 0 || this.hasDriver) return -ERRNO.EINVAL;
    return this.mayUse('noiommu') ? this.#setNoIommu(type) : this.#setType1(type);
  }

  #setNoIommu(type: bigint): number {
    const { platform, credentials } = this.kernel;
    if (type !== VFIO_NOIOMMU_IOMMU || platform.noIommuEnabled !== true) return -ERRNO.ENODEV;
    if (!credentials.privileged) return -ERRNO.EPERM;
    this.hasNoIommu = true;
    return 0;
  }

  #setType1(type: bigint): number {
    const nests = type === VFIO_TYPE1_NESTING_IOMMU && this.kernel.release.type1.knowsNesting;
    if (type === VFIO_UNMAP_ALL) return -ERRNO.EINVAL;
    if (type !== VFIO_TYPE1_IOMMU && type !== VFIO_TYPE1v2_IOMMU && !nests) return -ERRNO.ENODEV;
    const iommu = new Type1Iommu(this.kernel, type !== VFIO_TYPE1_IOMMU, nests);
    for (const [index, group] of this.groups.entries()) {
      const error = attachGroup(iommu, group);
      if (error === 0) continue;
      for (const attached of this.groups.slice(0, index).reverse()) detachGroup(iommu, attached);
      return error;
    }
    this.iommu = iommu;
    return 0;
  }

  /**
   * SET_CONTAINER on a group without a container. 0, or -errno: -EPERM if the group's devices have
   * another owner, or if the container has groups of the other kind.
   */
  join(group: VfioGroup): number {
    const { credentials, defects } = this.kernel;
    if (group.isNoIommu && !credentials.privileged) return -ERRNO.EPERM;
    const fits = this.mayUse(group.isNoIommu ? 'noiommu' : 'type1');
    if (!fits && !defects.has('noiommu-groups-mix')) return -ERRNO.EPERM;
    if (group.hardware !== undefined) {
      const error = group.iommuGroup.claim(group);
      if (error !== 0) return error;
    }
    const error = this.iommu === undefined ? 0 : attachGroup(this.iommu, group);
    if (error !== 0) {
      if (group.hardware !== undefined) group.iommuGroup.release();
      return error;
    }
    this.groups.unshift(group);
    this.#references += 1;
    return 0;
  }

  leave(group: VfioGroup): void {
    if (this.iommu !== undefined) detachGroup(this.iommu, group);
    if (group.hardware !== undefined) group.iommuGroup.release();
    this.groups.splice(this.groups.indexOf(group), 1);
    const stays = this.kernel.defects.has('type1-iommu-outlives-groups');
    if (this.groups.length === 0 && !stays) {
      this.iommu = undefined;
      this.hasNoIommu = false;
    }
    this.put();
  }
}

export class ContainerFile extends OpenFile {
  readonly container: Container;

  constructor(kernel: Kernel) {
    super();
    this.container = new Container(kernel);
  }

  override ioctl(command: number, argument: bigint): number {
    return containerCall(this.container, command, argument);
  }

  protected override released(): void {
    this.container.put();
  }
}
