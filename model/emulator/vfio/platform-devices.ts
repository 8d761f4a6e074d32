// SPDX-License-Identifier: MIT
// The platform's devices, IOMMU groups and IOMMUs, made from its description on first use.
// drivers/iommu/iommu.c, drivers/vfio/group.c.

import { U64_MAX } from '../../../spec/abi/units.ts';
import type { Iommu, IovaRange, Platform, PlatformDevice } from '../../../spec/terms/platform.ts';
import type { Release } from '../../../spec/terms/releases.ts';
import type { Hardware } from '../domain.ts';
import { IommuGroup } from '../iommu-group.ts';
import type { AttachableDevice } from '../iommufd-device.ts';
import type { Frames } from '../memory/frames.ts';
import { DmaEngine } from './dma-engine.ts';
import { VfioDevice } from './vfio-device.ts';
import { VfioGroup } from './vfio-group.ts';

/** A page table entry without permissions is no entry on VT-d; a virtio-iommu takes the permissions as they are. */
const hardwareOf = (iommu: Iommu, release: Release): Hardware => {
  const isVirtio = iommu.driver === 'virtio';
  return {
    owner: iommu,
    pageSizes: iommu.pageSizes,
    aperture: iommu.aperture,
    enforcesCacheCoherency: iommu.enforcesCacheCoherency,
    needsPermission: !isVirtio,
    readsWhereItWrites: !isVirtio && release.vtdWriteImpliesRead,
    mock: false,
    ...(isVirtio && !release.virtioKnowsAperture ? { sizedByAttaching: true } : {}),
  };
};

/** The page table of devices without an IOMMU: AMD's format, which only the kernel itself reads. */
const SOFTWARE_PAGE_TABLE: Hardware = {
  owner: {},
  // Any size from 4 KiB to 2 PiB but 512 GiB.
  pageSizes: (1n << 52n) - (1n << 12n) - (1n << 39n),
  aperture: { start: 0n, last: U64_MAX },
  enforcesCacheCoherency: false,
  needsPermission: true,
  readsWhereItWrites: false,
  mock: false,
  unwalked: true,
};

/** The owner of a group's devices that VFIO does not have. */
const OTHER_DRIVER = {};

class PhysicalDevice implements AttachableDevice {
  readonly hardware: Hardware;
  readonly group: IommuGroup;
  readonly reserved: readonly IovaRange[];
  readonly canTrackDirty = false;
  readonly mock = undefined;

  constructor(hardware: Hardware, group: IommuGroup, reserved: readonly IovaRange[]) {
    this.hardware = hardware;
    this.group = group;
    this.reserved = reserved;
  }
}

export class PlatformDevices {
  readonly #platform: Platform;
  readonly #frames: Frames;
  readonly #release: Release;
  readonly #groups = new Map<number, VfioGroup>();
  #hardware: readonly Hardware[] | undefined;

  constructor(platform: Platform, release: Release, frames: Frames) {
    this.#release = release;
    this.#platform = platform;
    this.#frames = frames;
  }

  /** The group with that number, or undefined if no device is in it. */
  group(number: number): VfioGroup | undefined {
    const known = this.#groups.get(number);
    if (known !== undefined) return known;
    const described = this.#platform.devices.filter((device) => device.group === number);
    if (described.length === 0) return undefined;
    const group = new VfioGroup(number, new IommuGroup());
    if (this.#platform.groupsInUse?.includes(number) === true) group.iommuGroup.claim(OTHER_DRIVER);
    for (const device of described) group.devices.push(this.#device(device, group));
    this.#groups.set(number, group);
    return group;
  }

  /** The device with that cdev number and kind, or undefined if there is none. */
  cdev(number: number, isNoIommu: boolean): VfioDevice | undefined {
    if (isNoIommu && !this.#release.noIommuDevicesHaveCdevs) return undefined;
    const described = this.#platform.devices.find(
      ({ cdev, iommu }) => cdev === number && (iommu === 'noiommu') === isNoIommu,
    );
    if (described === undefined) return undefined;
    return this.group(described.group)?.devices.find(({ name }) => name === described.name);
  }

  #device(described: PlatformDevice, group: VfioGroup): VfioDevice {
    if (described.iommu === 'none') return new VfioDevice(described.name, group, undefined);
    if (described.iommu === 'noiommu') {
      // iommufd gives it a group for itself, which needs no DMA owner.
      const alone = new PhysicalDevice(SOFTWARE_PAGE_TABLE, new IommuGroup(), []);
      return new VfioDevice(described.name, group, alone, undefined, true);
    }
    this.#hardware ??= this.#platform.iommus.map((iommu) => hardwareOf(iommu, this.#release));
    const hardware = this.#hardware[described.iommu];
    if (hardware === undefined) {
      throw new Error(
        `the platform has no IOMMU ${described.iommu}, which ${described.name} is behind`,
      );
    }
    const physical = new PhysicalDevice(hardware, group.iommuGroup, described.reserved);
    const engine = described.dmaEngine === undefined ? undefined : new DmaEngine(this.#frames);
    return new VfioDevice(described.name, group, physical, engine);
  }
}
