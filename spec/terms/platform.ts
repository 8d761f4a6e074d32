// SPDX-License-Identifier: MIT
// The machine, with its IOMMUs, devices and groups, and the credentials of the program. Parameters of every world.

import type { Facts } from './facts.ts';
import type { ReleaseName } from './releases.ts';

/** IOVAs from `start` to `last`, both inclusive. */
export type IovaRange = { readonly start: bigint; readonly last: bigint };

/** An IOMMU. A domain that was made for one cannot be attached to devices behind another. */
export type Iommu = {
  /** Bitmap: bit n is set if a page table entry can map 2^n bytes. */
  readonly pageSizes: bigint;
  /** The IOVAs that its domains can translate. */
  readonly aperture: IovaRange;
  /** Whether a domain can enforce cache coherency (IOMMU_CAP_ENFORCE_CACHE_COHERENCY). */
  readonly enforcesCacheCoherency: boolean;
  /**
   * The IOMMU driver; VT-d's if absent. An entry of virtio-iommu permits exactly what its flags say, possibly nothing.
   */
  readonly driver?: 'virtio';
};

export type PlatformDevice = {
  /** The name that GET_DEVICE_FD takes: "0000:00:04.0". */
  readonly name: string;
  /** The number in /dev/vfio/N, or /dev/vfio/noiommu-N. */
  readonly group: number;
  /** The number in /dev/vfio/devices/vfioN or noiommu-vfioN, if the device has a cdev. */
  readonly cdev?: number;
  /**
   * Index into `iommus`. 'none' is an mdev, which is an access of an IOAS. 'noiommu' is a physical device without an
   * IOMMU, in a no-IOMMU group: it uses physical addresses.
   */
  readonly iommu: number | 'none' | 'noiommu';
  /** IOVAs that are not translated by the IOMMU, such as those for interrupts. */
  readonly reserved: readonly IovaRange[];
  /** It has a DMA engine that a program can use: QEMU's edu, whose BAR a program can map. */
  readonly dmaEngine?: true;
};

/**
 * Which drivers accept devices whose interrupts are not isolated: the module parameter allow_unsafe_interrupts, which
 * vfio_iommu_type1 and iommufd each have.
 */
export type UnsafeInterrupts = { readonly type1: boolean; readonly iommufd: boolean };

/** What a program may map besides ordinary memory: a device's BAR, and huge pages. */
export type MemoryKind = 'device' | 'huge';

export type Platform = {
  readonly name: string;
  /** Absent if there is only ordinary memory. */
  readonly memoryKinds?: readonly MemoryKind[];
  readonly iommus: readonly Iommu[];
  readonly devices: readonly PlatformDevice[];
  /** IOMMU_TEST_CMD exists (CONFIG_IOMMUFD_TEST). */
  readonly testCommands: boolean;
  /** Programs may create mock devices. A kernel with real IOMMUs may not survive them. */
  readonly mockDevices: boolean;
  /** CONFIG_VFIO_NOIOMMU is set. */
  readonly noIommuConfigured: boolean;
  /** The module parameter vfio.enable_unsafe_noiommu_mode. Absent if it is not known. */
  readonly noIommuEnabled?: boolean;
  /** Present if the IOMMUs do not isolate interrupts, as without interrupt remapping. */
  readonly unsafeInterrupts?: UnsafeInterrupts;
  /** Groups with a device that a kernel driver uses: nothing else can own their DMA. Absent if there are none. */
  readonly groupsInUse?: readonly number[];
  /** How many maps a legacy container allows: the module parameter vfio_iommu_type1.dma_entry_limit. */
  readonly dmaEntryLimit: number;
};

/** Whether the group is a no-IOMMU group. The group of an mdev is not one. */
export const isNoIommuGroup = ({ devices }: Platform, number: number): boolean =>
  devices.some(({ group, iommu }) => group === number && iommu === 'noiommu');

/** Whether a kernel driver uses a device of the group. */
export const isGroupInUse = ({ groupsInUse }: Platform, number: number): boolean =>
  groupsInUse?.includes(number) === true;

/** The credentials of the program, the same for each of its processes. */
export type Credentials = {
  /** It has every capability, CAP_IPC_LOCK, CAP_SYS_RESOURCE and CAP_SYS_RAWIO among them. */
  readonly privileged: boolean;
  /** RLIMIT_MEMLOCK in bytes. */
  readonly memlockLimit: bigint;
  /** Pages that the program itself had locked (mlock) before its first call. 0 if absent. */
  readonly lockedBefore?: number;
};

/** What is fixed for a world: the release, the machine and the credentials. */
export type Setting = {
  readonly release: ReleaseName;
  readonly platform: Platform;
  readonly credentials: Credentials;
  /** What the input does not state. Absent if it states everything. */
  readonly facts?: Facts;
};
