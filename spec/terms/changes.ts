// SPDX-License-Identifier: MIT
// When the ABI changed: the calls, operations and behaviours that are not in every kernel, with the versions since which
// kernels have them. A version between the last that is known to lack one and the first that is known to have it is not
// decided here.

import type { NativeCallName } from '../abi/native.ts';
import type { TestOperationName } from '../abi/test.ts';
import { compareToMainline, type Mainline, type Version } from './version.ts';

/** The last version that lacks a change, and the first that has it. */
type Between<V> = readonly [last: V, first: V | undefined];

export type Change = {
  /** What kernels with the change do. */
  readonly says: string;
  readonly mainline: Between<Mainline>;
  /** It corrects a defect, so that stable branches may have it, too. */
  readonly isFix?: true;
  /** By stable branch: the patch levels. */
  readonly stable?: Readonly<Partial<Record<Mainline, Between<number>>>>;
};

const CALLS = {
  IOMMU_HWPT_ALLOC: ['6.5', '6.6'],
  IOMMU_GET_HW_INFO: ['6.5', '6.6'],
  IOMMU_HWPT_SET_DIRTY_TRACKING: ['6.6', '6.7'],
  IOMMU_HWPT_GET_DIRTY_BITMAP: ['6.6', '6.7'],
  IOMMU_HWPT_INVALIDATE: ['6.7', '6.8'],
  IOMMU_FAULT_QUEUE_ALLOC: ['6.10', '6.11'],
  IOMMU_IOAS_MAP_FILE: ['6.12', '6.13'],
  IOMMU_VIOMMU_ALLOC: ['6.12', '6.13'],
  IOMMU_VDEVICE_ALLOC: ['6.12', '6.13'],
  IOMMU_IOAS_CHANGE_PROCESS: ['6.12', '6.13'],
  IOMMU_VEVENTQ_ALLOC: ['6.14', '6.15'],
  IOMMU_HW_QUEUE_ALLOC: ['6.16', '6.17'],
  IOMMU_IOAS_NOIOMMU_GET_PA: ['7.2', '7.3'],
} as const satisfies Partial<Record<NativeCallName, Between<Mainline>>>;

const TEST_OPERATIONS = {
  MOCK_DOMAIN_REPLACE: ['6.5', '6.6'],
  ACCESS_REPLACE_IOAS: ['6.5', '6.6'],
  MOCK_DOMAIN_FLAGS: ['6.6', '6.7'],
  DIRTY: ['6.6', '6.7'],
  MD_CHECK_IOTLB: ['6.7', '6.8'],
  TRIGGER_IOPF: ['6.10', '6.11'],
  DEV_CHECK_CACHE: ['6.12', '7.2'],
  TRIGGER_VEVENT: ['6.14', '6.15'],
  PASID_ATTACH: ['6.14', '6.15'],
  PASID_REPLACE: ['6.14', '6.15'],
  PASID_DETACH: ['6.14', '6.15'],
  PASID_CHECK_HWPT: ['6.14', '6.15'],
  DMABUF_GET: ['6.12', '7.2'],
  DMABUF_REVOKE: ['6.12', '7.2'],
} as const satisfies Partial<Record<TestOperationName, Between<Mainline>>>;

const BEHAVIOURS = {
  mapSpan: {
    says: 'Maps check whether address + length wraps before they check the length.',
    mainline: ['6.12', '7.2'],
  },
  mockHugePages: {
    says: 'MOCK_DOMAIN_FLAGS has HUGE_IOVA, or the page tables that replaced it.',
    mainline: ['6.7', '6.8'],
  },
  mockPageTables: {
    says: 'Mock domains have page tables: other page sizes, dirty entries, no entries without permission.',
    mainline: ['6.12', '7.2'],
  },
  mockPasids: { says: 'MOCK_DOMAIN_FLAGS has PASID.', mainline: ['6.14', '6.15'] },
  vtdReadPermission: {
    says: 'Entries of VT-d that permit only writes do not permit reads.',
    mainline: ['6.12', '7.2'],
  },
  virtioAperture: {
    says: 'A domain of virtio-iommu has its aperture before a device is attached to it.',
    mainline: ['6.12', '7.2'],
  },
  hwptPasid: { says: 'HWPT_ALLOC has PASID.', mainline: ['6.14', '6.15'] },
  hwInfoInputType: { says: 'GET_HW_INFO has INPUT_TYPE.', mainline: ['6.16', '6.17'] },
  hwInfoAts: {
    says: 'GET_HW_INFO reports that ATS of a device cannot be used.',
    mainline: ['6.12', '7.2'],
  },
  bitmapLength: {
    says: 'HWPT_GET_DIRTY_BITMAP refuses a length of 0.',
    mainline: ['7.2', '7.3'],
    isFix: true,
    stable: { '6.12': [95, 117], '7.2': [13, undefined] },
  },
  dirtyLimit: {
    says: 'The test operation DIRTY takes at most 2^27 pages.',
    mainline: ['6.12', '7.2'],
    isFix: true,
    stable: { '6.12': [95, 117] },
  },
  bindTokens: {
    says: 'BIND_IOMMUFD has tokens, and accepts longer structs.',
    mainline: ['6.16', '6.17'],
  },
  noIommuCdevs: {
    says: 'A device without an IOMMU has a cdev, and a page table that no hardware walks.',
    mainline: ['7.2', '7.3'],
  },
  attachPasids: {
    says: 'ATTACH_IOMMUFD_PT and DETACH_IOMMUFD_PT have PASIDs.',
    mainline: ['6.14', '6.15'],
  },
  iommufdMmap: {
    says: 'An iommufd can be mapped with mmap(), if a vIOMMU offers pages.',
    mainline: ['6.16', '6.17'],
  },
  type1NoNesting: { says: 'Type1 has no TYPE1_NESTING.', mainline: ['6.12', '6.13'] },
  type1RangesToEnd: {
    says: 'Ranges of type1 may end at U64_MAX, and those that pass it fail with EOVERFLOW.',
    mainline: ['6.12', '7.2'],
    isFix: true,
    stable: { '6.12': [117, undefined] },
  },
  apertureErange: {
    says: 'A map of type1 outside the aperture of a domain fails with ERANGE, not with EFAULT.',
    mainline: ['6.12', '7.2'],
  },
} as const satisfies Readonly<Record<string, Change>>;

export type Behaviour = keyof typeof BEHAVIOURS;
export type ChangeName = keyof typeof CALLS | keyof typeof TEST_OPERATIONS | Behaviour;

const named = <Name extends string>(
  table: Readonly<Record<Name, Between<Mainline>>>,
  says: (name: string) => string,
): [string, Change][] =>
  Object.entries<Between<Mainline>>(table).map(([name, mainline]) => [
    name,
    { says: says(name), mainline },
  ]);

/** Every change, by name. */
export const CHANGES = Object.fromEntries([
  ...named(CALLS, (name) => `There is ${name}.`),
  ...named(TEST_OPERATIONS, (name) => `IOMMU_TEST_CMD has ${name}.`),
  ...Object.entries<Change>(BEHAVIOURS),
]) as Readonly<Record<ChangeName, Change>>;

export const CHANGE_NAMES = Object.keys(CHANGES) as readonly ChangeName[];
export const CHANGED_CALLS = Object.keys(CALLS) as readonly (keyof typeof CALLS)[];
export const CHANGED_OPERATIONS = Object.keys(
  TEST_OPERATIONS,
) as readonly (keyof typeof TEST_OPERATIONS)[];

const within = <V>([last, first]: Between<V>, compare: (version: V) => number) => {
  if (first !== undefined && compare(first) >= 0) return true;
  return compare(last) <= 0 ? false : 'unknown';
};

/** Whether a kernel of the version has the change; 'unknown' if the version does not decide it. */
export const hasChange = (version: Version, name: ChangeName): boolean | 'unknown' => {
  const { mainline, stable, isFix } = CHANGES[name];
  const branch = stable?.[`${version.major}.${version.minor}`];
  const byMainline = within(mainline, (known) => compareToMainline(version, known));
  if (byMainline === true) return true;
  const has = branch === undefined ? byMainline : within(branch, (known) => version.patch - known);
  // A stable branch may have the fix, and a distribution's kernel any change.
  const isOpen =
    version.isModified || (isFix === true && branch === undefined && version.patch > 0);
  return has === false && isOpen ? 'unknown' : has;
};
