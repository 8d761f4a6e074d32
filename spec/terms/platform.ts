// SPDX-License-Identifier: MIT
// What the machine offers: page size, IOMMUs, devices, and who the program is. A parameter of every world.

import type { Facts } from './facts.ts';
import type { ReleaseName } from './releases.ts';

/** IOVAs from `start` to `last`, both inclusive, in bytes. */
export type IovaRange = { readonly start: bigint; readonly last: bigint };

/** One IOMMU. Domains made for one cannot be attached to devices behind another. */
export type Iommu = {
  /** Bitmap: bit n is set where a page table entry can map 2^n bytes. */
  readonly pageSizes: bigint;
  /** What its domains can translate. */
  readonly aperture: IovaRange;
  /** Whether a domain can make every access coherent (IOMMU_CAP_ENFORCE_CACHE_COHERENCY). */
  readonly enforcesCacheCoherency: boolean;
  /** Whose it is: VT-d's where absent. virtio-iommu's entries let do what they say, which may be nothing. */
  readonly driver?: 'virtio';
};

export type PlatformDevice = {
  /** What GET_DEVICE_FD is asked for: "0000:00:04.0". */
  readonly name: string;
  /** The number in /dev/vfio/N, or /dev/vfio/noiommu-N. */
  readonly group: number;
  /** The number in /dev/vfio/devices/vfioN or noiommu-vfioN, the device's own file, where it has one. */
  readonly cdev?: number;
  /**
   * Index into `iommus`. A mdev has none: it is an access of the IOAS. `noiommu` is a physical device
   * that nothing translates for, in a no-IOMMU group: the addresses that it is given are physical.
   */
  readonly iommu: number | 'none' | 'noiommu';
  /** IOVAs that the device reaches by another way than the IOMMU (its interrupts, for one). */
  readonly reserved: readonly IovaRange[];
  /** It moves memory for a program: QEMU's edu, whose BAR a program can map. */
  readonly dmaEngine?: true;
};

/**
 * Who lets devices be used although their interrupts are not isolated from other programs': the module parameter
 * allow_unsafe_interrupts, which vfio_iommu_type1 and iommufd each have.
 */
export type UnsafeInterrupts = { readonly type1: boolean; readonly iommufd: boolean };

/** What a program may map beside ordinary memory: a device's own, and huge pages. */
export type MemoryKind = 'device' | 'huge';

export type Platform = {
  readonly name: string;
  /** Absent where there is only ordinary memory. */
  readonly memoryKinds?: readonly MemoryKind[];
  readonly iommus: readonly Iommu[];
  readonly devices: readonly PlatformDevice[];
  /** IOMMU_TEST_CMD exists (CONFIG_IOMMUFD_TEST). */
  readonly testCommands: boolean;
  /** Programs for it may make mock devices. Beside real IOMMUs a kernel may not survive them. */
  readonly mockDevices: boolean;
  /** CONFIG_VFIO_NOIOMMU: what CHECK_EXTENSION says of it. */
  readonly noIommuConfigured: boolean;
  /** The module parameter vfio.enable_unsafe_noiommu_mode. Absent where nothing says. */
  readonly noIommuEnabled?: boolean;
  /** The IOMMUs do not isolate interrupts, as without interrupt remapping. Absent where they do. */
  readonly unsafeInterrupts?: UnsafeInterrupts;
  /** Groups with a device that a driver of the kernel's own uses: nobody else can own their DMA. Absent where none is. */
  readonly groupsInUse?: readonly number[];
  /** How many maps a legacy container takes: the module parameter vfio_iommu_type1.dma_entry_limit. */
  readonly dmaEntryLimit: number;
};

/** Whether the group is a no-IOMMU group. A mdev's is none: it reaches memory by the kernel alone. */
export const isNoIommuGroup = ({ devices }: Platform, number: number): boolean =>
  devices.some(({ group, iommu }) => group === number && iommu === 'noiommu');

/** Whether the kernel itself uses a device of the group. */
export const isGroupInUse = ({ groupsInUse }: Platform, number: number): boolean =>
  groupsInUse?.includes(number) === true;

/** Who the program is. Every process of a recording or program is the same. */
export type Credentials = {
  /** Has every capability: CAP_IPC_LOCK, CAP_SYS_RESOURCE and CAP_SYS_RAWIO among them. */
  readonly privileged: boolean;
  /** RLIMIT_MEMLOCK in bytes. */
  readonly memlockLimit: bigint;
  /** Pages that the program had locked by itself (mlock) before its first call. None where absent. */
  readonly lockedBefore?: number;
};

/** What is fixed for a world: the kernel, the machine it runs on, and who the program is. */
export type Setting = {
  readonly release: ReleaseName;
  readonly platform: Platform;
  readonly credentials: Credentials;
  /** What the input does not state of it. Absent where it states everything. */
  readonly facts?: Facts;
};
