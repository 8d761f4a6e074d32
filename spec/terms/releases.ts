// SPDX-License-Identifier: MIT
// What differs between releases of the kernel, as facts that rules ask for. Other code does not test for a version.

import { ERRNO, type Errno } from '../abi/errno.ts';
import type { NativeCallName } from '../abi/native.ts';
import type { TestOperationName } from '../abi/test.ts';
import {
  type Behaviour,
  CHANGE_NAMES,
  CHANGED_CALLS,
  CHANGED_OPERATIONS,
  type ChangeName,
  hasChange,
} from './changes.ts';
import { compareToMainline, parseVersion, type Version } from './version.ts';

/** A version, as uname -r prints it. */
export type ReleaseName = string;

export type Release = {
  readonly name: ReleaseName;
  /** Whether it has each change. */
  readonly has: Readonly<Record<ChangeName, boolean>>;
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

const MOCK_PAGE_SIZES = { plain: 0x800n, huge: 0x10_0800n };
const MOCK_PAGE_TABLE_SIZES = { plain: 0x1f_ffff_f800n, huge: 0x1f_ffff_f800n };

const MOCK_NO_DIRTY = 1;
const MOCK_HUGE_IOVA = 2;
const MOCK_PASID = 4;

/** The release with the changes. */
export const releaseWith = (name: ReleaseName, has: Release['has']): Release => ({
  name,
  has,
  absentCalls: new Set(CHANGED_CALLS.filter((call) => !has[call])),
  absentTestOperations: new Set(CHANGED_OPERATIONS.filter((operation) => !has[operation])),
  mockPageSizes: has.mockPageTables ? MOCK_PAGE_TABLE_SIZES : MOCK_PAGE_SIZES,
  mockDeviceFlags:
    MOCK_NO_DIRTY |
    (has.mockHugePages && !has.mockPageTables ? MOCK_HUGE_IOVA : 0) |
    (has.mockPasids ? MOCK_PASID : 0),
  mockMapsWithoutPermission: !has.mockPageTables,
  vtdWriteImpliesRead: !has.vtdReadPermission,
  virtioKnowsAperture: has.virtioAperture,
  mapChecksLengthFirst: !has.mapSpan,
  hwptAllocKnowsPasid: has.hwptPasid,
  hwInfoKnowsInputType: has.hwInfoInputType,
  hwInfoReportsAts: has.hwInfoAts,
  dirtyBitmapRefusesZeroLength: has.bitmapLength,
  dirtyPagesAreLimited: has.dirtyLimit,
  mockEntriesAreDirty: has.mockPageTables,
  bindKnowsTokens: has.bindTokens,
  noIommuDevicesHaveCdevs: has.noIommuCdevs,
  attachKnowsPasids: has.attachPasids,
  iommufdsCanBeMapped: has.iommufdMmap,
  checkMapFindsHwptFirst: has.mockPageTables,
  type1: {
    knowsNesting: !has.type1NoNesting,
    reportsOverflow: has.type1RangesToEnd,
    findDmaWraps: !has.type1RangesToEnd,
    beyondAperture: has.apertureErange ? ERRNO.ERANGE : ERRNO.EFAULT,
  },
});

/** The releases that were tried against the specification, oldest first. Their versions decide every change. */
export const RELEASE_NAMES = ['6.12.95', '6.12.117', '7.2.13', '7.3.4'] as const;

export type SpecifiedRelease = (typeof RELEASE_NAMES)[number];

/** The oldest and the newest of them. */
export const OUTER_RELEASES = [RELEASE_NAMES[0], RELEASE_NAMES[3]] as const;

/** The first version with iommufd. */
export const FIRST_VERSION = '6.2';

/** The version of a kernel that can be judged: 6.2 or later. Undefined for other texts. */
export const versionOf = (name: string): Version | undefined => {
  const version = parseVersion(name);
  return version !== undefined && compareToMainline(version, FIRST_VERSION) >= 0
    ? version
    : undefined;
};

const changesOf = (version: Version): Release['has'] =>
  Object.fromEntries(
    CHANGE_NAMES.map((name) => [name, hasChange(version, name) === true]),
  ) as Release['has'];

type Known = { readonly release: Release; readonly undecided: ReadonlySet<ChangeName> };

const known = new Map<ReleaseName, Known>();

const knownOf = (name: ReleaseName): Known => {
  const found = known.get(name);
  if (found !== undefined) return found;
  const version = versionOf(name);
  if (version === undefined)
    throw new Error(`${name} is no version of Linux from ${FIRST_VERSION} on.`);
  const made = {
    release: releaseWith(name, changesOf(version)),
    undecided: new Set(CHANGE_NAMES.filter((change) => hasChange(version, change) === 'unknown')),
  };
  known.set(name, made);
  return made;
};

/** The release of a version. It lacks what the version does not decide. Throws if it is no version from 6.2 on. */
export const releaseOf = (name: ReleaseName): Release => knownOf(name).release;

/** The changes that the version does not decide. */
export const undecidedChanges = (name: ReleaseName): ReadonlySet<ChangeName> =>
  knownOf(name).undecided;

/** The specified releases with a change, or without it. */
export const releasesThat = ({
  change,
  has,
}: {
  readonly change: Behaviour;
  readonly has: boolean;
}): readonly ReleaseName[] => RELEASE_NAMES.filter((name) => releaseOf(name).has[change] === has);
