// SPDX-License-Identifier: MIT
// The differences between releases that a program can observe, in one table. Other code does not test for a version.

import { ERRNO, type Errno } from '../abi/errno.ts';
import type { NativeCallName } from '../abi/native.ts';
import type { TestOperationName } from '../abi/test.ts';

export type ReleaseName = '6.12.95' | '7.3.4';

export type Release = {
  readonly name: ReleaseName;
  /** Native calls that the release lacks. */
  readonly absentCalls: ReadonlySet<NativeCallName>;
  /** Operations of IOMMU_TEST_CMD that the release lacks. */
  readonly absentTestOperations: ReadonlySet<TestOperationName>;
  /** Bitmaps of the page sizes of mock domains: for a plain device, and for one with MOCK_FLAGS_DEVICE_HUGE_IOVA. */
  readonly mockPageSizes: { readonly plain: bigint; readonly huge: bigint };
  /** The dev_flags that MOCK_DOMAIN_FLAGS accepts. */
  readonly mockDeviceFlags: number;
  /** Maps check the length before they check whether address + length wraps. */
  readonly mapChecksLengthFirst: boolean;
  /** A mock domain can have entries that permit neither reads nor writes. */
  readonly mockMapsWithoutPermission: boolean;
  /** Entries of VT-d that permit writes also permit reads. */
  readonly vtdWriteImpliesRead: boolean;
  /** A domain of virtio-iommu has its aperture before a device is attached to it. */
  readonly virtioKnowsAperture: boolean;
  /** HWPT_ALLOC knows the flag PASID. */
  readonly hwptAllocKnowsPasid: boolean;
  /** GET_HW_INFO knows the flag INPUT_TYPE. */
  readonly hwInfoKnowsInputType: boolean;
  /** GET_HW_INFO reports that a device's ATS cannot be used. */
  readonly hwInfoReportsAts: boolean;
  /** HWPT_GET_DIRTY_BITMAP refuses a length of 0. */
  readonly dirtyBitmapRefusesZeroLength: boolean;
  /** The test operation DIRTY takes at most 2^27 pages. */
  readonly dirtyPagesAreLimited: boolean;
  /** Mock domains have page tables, and an entry is dirty as a whole. */
  readonly mockEntriesAreDirty: boolean;
  /** BIND_IOMMUFD knows tokens, and accepts a struct that is longer than the one it knows. */
  readonly bindKnowsTokens: boolean;
  /** A device without an IOMMU has a cdev, and a page table that no hardware walks. */
  readonly noIommuDevicesHaveCdevs: boolean;
  /** ATTACH_IOMMUFD_PT and DETACH_IOMMUFD_PT know PASIDs. */
  readonly attachKnowsPasids: boolean;
  /** An iommufd can be mapped with mmap(), if a vIOMMU offers pages. */
  readonly iommufdsCanBeMapped: boolean;
  /** MD_CHECK_MAP finds the hwpt before it checks the alignment of its arguments. */
  readonly checkMapFindsHwptFirst: boolean;
  readonly type1: Type1Differences;
};

/** What differs between the releases in the legacy container. */
export type Type1Differences = {
  /** CHECK_EXTENSION and SET_IOMMU know VFIO_TYPE1_NESTING_IOMMU. */
  readonly knowsNesting: boolean;
  /** A range that passes U64_MAX fails with EOVERFLOW, before flags and alignment are checked. */
  readonly reportsOverflow: boolean;
  /** vfio_find_dma() compares exclusive ends: iova + size of a range that ends at U64_MAX wraps to 0. */
  readonly findDmaWraps: boolean;
  /** The error of a map outside the aperture of a domain. */
  readonly beyondAperture: Errno;
};

const release612: Release = {
  name: '6.12.95',
  absentCalls: new Set<NativeCallName>([
    'IOMMU_IOAS_MAP_FILE',
    'IOMMU_VIOMMU_ALLOC',
    'IOMMU_VDEVICE_ALLOC',
    'IOMMU_IOAS_CHANGE_PROCESS',
    'IOMMU_VEVENTQ_ALLOC',
    'IOMMU_HW_QUEUE_ALLOC',
    'IOMMU_IOAS_NOIOMMU_GET_PA',
  ]),
  absentTestOperations: new Set<TestOperationName>([
    'DEV_CHECK_CACHE',
    'TRIGGER_VEVENT',
    'PASID_ATTACH',
    'PASID_REPLACE',
    'PASID_DETACH',
    'PASID_CHECK_HWPT',
    'DMABUF_GET',
    'DMABUF_REVOKE',
  ]),
  mockPageSizes: { plain: 0x800n, huge: 0x10_0800n },
  mockDeviceFlags: 0b011,
  mockMapsWithoutPermission: true,
  vtdWriteImpliesRead: true,
  virtioKnowsAperture: false,
  mapChecksLengthFirst: true,
  hwptAllocKnowsPasid: false,
  hwInfoKnowsInputType: false,
  hwInfoReportsAts: false,
  dirtyBitmapRefusesZeroLength: false,
  dirtyPagesAreLimited: false,
  mockEntriesAreDirty: false,
  bindKnowsTokens: false,
  noIommuDevicesHaveCdevs: false,
  attachKnowsPasids: false,
  iommufdsCanBeMapped: false,
  checkMapFindsHwptFirst: false,
  type1: {
    knowsNesting: true,
    reportsOverflow: false,
    findDmaWraps: true,
    beyondAperture: ERRNO.EFAULT,
  },
};

const release73: Release = {
  name: '7.3.4',
  absentCalls: new Set(),
  absentTestOperations: new Set(),
  mockPageSizes: { plain: 0x1f_ffff_f800n, huge: 0x1f_ffff_f800n },
  mockDeviceFlags: 0b101,
  mockMapsWithoutPermission: false,
  vtdWriteImpliesRead: false,
  virtioKnowsAperture: true,
  mapChecksLengthFirst: false,
  hwptAllocKnowsPasid: true,
  hwInfoKnowsInputType: true,
  hwInfoReportsAts: true,
  dirtyBitmapRefusesZeroLength: true,
  dirtyPagesAreLimited: true,
  mockEntriesAreDirty: true,
  bindKnowsTokens: true,
  noIommuDevicesHaveCdevs: true,
  attachKnowsPasids: true,
  iommufdsCanBeMapped: true,
  checkMapFindsHwptFirst: true,
  type1: {
    knowsNesting: false,
    reportsOverflow: true,
    findDmaWraps: false,
    beyondAperture: ERRNO.ERANGE,
  },
};

/** The specified releases, by name. */
export const RELEASES: Readonly<Record<ReleaseName, Release>> = {
  '6.12.95': release612,
  '7.3.4': release73,
};

/** Their names, oldest first. */
export const RELEASE_NAMES = Object.keys(RELEASES) as ReleaseName[];
