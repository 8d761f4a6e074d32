// The platform's devices, their IOMMU groups and IOMMUs, made from its description when they are first asked
// for. drivers/iommu/iommu.c, drivers/vfio/group.c.

import type { Iommu, IovaRange, Platform, PlatformDevice } from '../../../spec/platform.ts';
import type { Hardware } from '../domain.ts';
import { IommuGroup } from '../iommu-group.ts';
import type { AttachableDevice } from '../iommufd-device.ts';
import { VfioDevice } from './vfio-device.ts';
import { VfioGroup } from './vfio-group.ts';

/** A page table entry without permissions is no entry, as on VT-d. */
const hardwareOf = (iommu: Iommu): Hardware => ({
  owner: iommu,
  pageSizes: iommu.pageSizes,
  aperture: iommu.aperture,
  enforcesCacheCoherency: iommu.enforcesCacheCoherency,
  needsPermission: true,
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
  readonly #groups = new Map<number, VfioGroup>();
  #hardware: readonly Hardware[] | undefined;

  constructor(platform: Platform) {
    this.#platform = platform;
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

  #device(described: PlatformDevice, group: VfioGroup): VfioDevice {
    if (described.iommu === 'none') return new VfioDevice(described.name, group, undefined);
    this.#hardware ??= this.#platform.iommus.map(hardwareOf);
    const hardware = this.#hardware[described.iommu];
    if (hardware === undefined) {
      throw new Error(
        `the platform has no IOMMU ${described.iommu}, which ${described.name} is behind`,
      );
    }
    const physical = new PhysicalDevice(hardware, group.iommuGroup, described.reserved);
    return new VfioDevice(described.name, group, physical);
  }
}
