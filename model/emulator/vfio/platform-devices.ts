// The platform's devices, their IOMMU groups and IOMMUs, made from its description when they are first asked
// for. drivers/iommu/iommu.c, drivers/vfio/group.c.

import type { Iommu, IovaRange, Platform, PlatformDevice } from '../../../spec/platform.ts';
import type { Release } from '../../../spec/releases.ts';
import type { Hardware } from '../domain.ts';
import { IommuGroup } from '../iommu-group.ts';
import type { AttachableDevice } from '../iommufd-device.ts';
import type { Frames } from '../memory/frames.ts';
import { DmaEngine } from './dma-engine.ts';
import { VfioDevice } from './vfio-device.ts';
import { VfioGroup } from './vfio-group.ts';

/** A page table entry without permissions is no entry, as on VT-d. */
const hardwareOf = (iommu: Iommu, release: Release): Hardware => ({
  owner: iommu,
  pageSizes: iommu.pageSizes,
  aperture: iommu.aperture,
  enforcesCacheCoherency: iommu.enforcesCacheCoherency,
  needsPermission: true,
  readsWhereItWrites: release.vtdReadsWhereItWrites,
  mock: false,
});

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

  /** The group of that number, or undefined where no device is in it. */
  group(number: number): VfioGroup | undefined {
    const known = this.#groups.get(number);
    if (known !== undefined) return known;
    const described = this.#platform.devices.filter((device) => device.group === number);
    if (described.length === 0) return undefined;
    const group = new VfioGroup(number, new IommuGroup());
    for (const device of described) group.devices.push(this.#device(device, group));
    this.#groups.set(number, group);
    return group;
  }

  /** The device whose own file has that number, or undefined where there is none. */
  cdev(number: number): VfioDevice | undefined {
    const described = this.#platform.devices.find(({ cdev }) => cdev === number);
    if (described === undefined) return undefined;
    return this.group(described.group)?.devices.find(({ name }) => name === described.name);
  }

  #device(described: PlatformDevice, group: VfioGroup): VfioDevice {
    if (described.iommu === 'none') return new VfioDevice(described.name, group, undefined);
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
