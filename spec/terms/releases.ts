// SPDX-License-Identifier: MIT
// What differs between kernel releases, in one table. A difference that a program can observe is here, and
// nowhere as an `if` on a version.

import { ERRNO, type Errno } from '../abi/errno.ts';
import type { NativeCallName } from '../abi/native.ts';
import type { TestOperationName } from '../abi/test.ts';

export type ReleaseName = '6.12.95' | '7.3.4';

export type Release = {
  readonly name: ReleaseName;
  /** Native calls that the release's table does not have. */
  readonly absentCalls: ReadonlySet<NativeCallName>;
  /** Operations of IOMMU_TEST_CMD that the release does not have. */
  readonly absentTestOperations: ReadonlySet<TestOperationName>;
  /** Page sizes of a mock domain: the bitmap for a plain device, and for one with the huge-page flag. */
  readonly mockPageSizes: { readonly plain: bigint; readonly huge: bigint };
  /** The dev_flags that MOCK_DOMAIN_FLAGS accepts. */
  readonly mockDeviceFlags: number;
  /** A map's length is checked before whether the address and it pass the end of the address space. */
  readonly mapChecksLengthFirst: boolean;
  /** A mock domain's entries can exist without letting a device read or write. */
  readonly mockMapsWithoutPermission: boolean;
  /** What VT-d's domains let a device write they also let it read. */
  readonly vtdReadsWhereItWrites: boolean;
  /** A virtio-iommu's domain knows its aperture before a device is attached to it. */
  readonly virtioKnowsAperture: boolean;
  /** HWPT_ALLOC knows the flag PASID. */
  readonly hwptsForPasids: boolean;
  /** GET_HW_INFO knows the flag INPUT_TYPE. */
  readonly hwInfoTakesType: boolean;
  /** GET_HW_INFO reports that a device's ATS cannot be used. */
  readonly hwInfoReportsAts: boolean;
  /** HWPT_GET_DIRTY_BITMAP refuses a length of 0. */
  readonly bitmapsHaveLength: boolean;
  /** The test operation DIRTY takes no more than 2^27 pages. */
  readonly dirtyPagesAreLimited: boolean;
  /** Mock domains have page tables, whose entries are dirty as a whole. */
  readonly mockEntriesAreDirty: boolean;
  /** BIND_IOMMUFD knows tokens, and takes a struct that is longer than the release knows. */
  readonly bindKnowsTokens: boolean;
  /** A device without an IOMMU has a file of its own, and a page table that no hardware walks. */
  readonly noIommuDevicesHaveFiles: boolean;
  /** ATTACH_ and DETACH_IOMMUFD_PT know PASIDs. */
  readonly devicesHavePasids: boolean;
  /** An iommufd has pages to map, where a vIOMMU offers any. */
  readonly iommufdsHavePages: boolean;
  /** MD_CHECK_MAP finds the hwpt before it checks the alignment of its arguments. */
  readonly checkMapFindsHwptFirst: boolean;
  readonly type1: Type1Differences;
};

/** What differs between the releases in the legacy container. */
export type Type1Differences = {
  /** CHECK_EXTENSION and SET_IOMMU know VFIO_TYPE1_NESTING_IOMMU. */
  readonly knowsNesting: boolean;
  /** A range that passes the end of the address space is EOVERFLOW, and checked before flags and alignment. */
  readonly reportsOverflow: boolean;
  /** Ranges are compared by the byte behind them, which is 0 behind the end of the address space. */
  readonly findDmaWraps: boolean;
  /** What a domain answers to a map outside of what it can translate. */
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
  vtdReadsWhereItWrites: true,
  virtioKnowsAperture: false,
  mapChecksLengthFirst: true,
  hwptsForPasids: false,
  hwInfoTakesType: false,
  hwInfoReportsAts: false,
  bitmapsHaveLength: false,
  dirtyPagesAreLimited: false,
  mockEntriesAreDirty: false,
  bindKnowsTokens: false,
  noIommuDevicesHaveFiles: false,
  devicesHavePasids: false,
  iommufdsHavePages: false,
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
  vtdReadsWhereItWrites: false,
  virtioKnowsAperture: true,
  mapChecksLengthFirst: false,
  hwptsForPasids: true,
  hwInfoTakesType: true,
  hwInfoReportsAts: true,
  bitmapsHaveLength: true,
  dirtyPagesAreLimited: true,
  mockEntriesAreDirty: true,
  bindKnowsTokens: true,
  noIommuDevicesHaveFiles: true,
  devicesHavePasids: true,
  iommufdsHavePages: true,
  checkMapFindsHwptFirst: true,
  type1: {
    knowsNesting: false,
    reportsOverflow: true,
    findDmaWraps: false,
    beyondAperture: ERRNO.ERANGE,
  },
};

/** Every release that is specified, by its name. */
export const RELEASES: Readonly<Record<ReleaseName, Release>> = {
  '6.12.95': release612,
  '7.3.4': release73,
};

/** The same names, oldest first. */
export const RELEASE_NAMES = Object.keys(RELEASES) as ReleaseName[];
