// SPDX-License-Identifier: MIT
// Tracks through which file a program has its groups' devices open. If an iommufd and a legacy container have a device
// without an IOMMU in turn, the kernel drops a file reference too often (docs/findings/0004): the second open is
// refused.

import { existsSync, readdirSync } from 'node:fs';
import { UnsafeCall } from '../../safety/permitted.ts';

const GROUP = /^\/dev\/vfio\/((?:noiommu-)?[0-9]+)$/;
const LEGACY_CONTAINER = '/dev/vfio/vfio';

/** Whether a group of this machine, by its file's name, has an mdev or one without an IOMMU. */
export const hasUnguardedDevice = (group: string): boolean => {
  const devices = `/sys/kernel/iommu_groups/${group}/devices`;
  return (
    group.startsWith('noiommu-') ||
    (existsSync(devices) &&
      readdirSync(devices).some((name) => existsSync(`/sys/bus/mdev/devices/${name}`)))
  );
};

export class DeviceUses {
  readonly #isUnguarded: (group: string) => boolean;
  readonly #containers = new Set<number>();
  /** The name of each group's file that is open, by its descriptor. */
  readonly #groups = new Map<number, string>();
  /** Descriptors of groups whose container is a legacy one. */
  readonly #inContainer = new Set<number>();
  /** The group's file of each device that was opened with an iommufd, by the device's descriptor. */
  readonly #devices = new Map<number, string>();

  constructor(isUnguarded: (group: string) => boolean = hasUnguardedDevice) {
    this.#isUnguarded = isUnguarded;
  }

  /** A new program begins. */
  reset(): void {
    this.#containers.clear();
    this.#groups.clear();
    this.#inContainer.clear();
    this.#devices.clear();
  }

  opened(path: string, fd: number): void {
    if (path === LEGACY_CONTAINER) this.#containers.add(fd);
    const [, group] = GROUP.exec(path) ?? [];
    if (group !== undefined) this.#groups.set(fd, group);
  }

  closed(fd: number): void {
    this.#containers.delete(fd);
    this.#groups.delete(fd);
    this.#inContainer.delete(fd);
    this.#devices.delete(fd);
  }

  /** Before a group is asked for a device. Throws UnsafeCall. */
  check(fd: number): void {
    const group = this.#groups.get(fd);
    if (group === undefined || !this.#inContainer.has(fd)) return;
    if ([...this.#devices.values()].includes(group) && this.#isUnguarded(group)) {
      throw new UnsafeCall(
        'A device that no IOMMU guards, open with an iommufd, is not opened with a legacy container too: see finding 0004.',
      );
    }
  }

  /** A group has joined the container of that descriptor. */
  joined(fd: number, container: number): void {
    if (this.#containers.has(container)) this.#inContainer.add(fd);
    else this.#inContainer.delete(fd);
  }

  /** A group gave a device. */
  gave(fd: number, device: number): void {
    const group = this.#groups.get(fd);
    if (group !== undefined && !this.#inContainer.has(fd)) this.#devices.set(device, group);
  }
}
