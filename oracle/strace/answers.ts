// SPDX-License-Identifier: MIT
// Every answer that some struct, some state and some machine allow an ioctl on a kind of file: the rules of the call, of
// its dispatch and of the parts that it uses, in any release.

import type { ErrnoName } from '../../spec/abi/errno.ts';
import { NATIVE_CALLS } from '../../spec/abi/native.ts';
import * as vfio from '../../spec/abi/vfio.ts';
import { partsUsedBy } from '../../spec/parts-used.ts';
import { ALL_PARTS, type PartId, partsIn, type RuleId, ruleAt } from '../../spec/rules.ts';
import type { Rule } from '../../spec/terms/rule.ts';
import type { FileKind } from './logged-file.ts';

export type Answers = {
  /** Rules by which the call succeeds; none if it cannot. */
  readonly grants: readonly Rule<RuleId>[];
  readonly refusals: readonly Rule<RuleId>[];
  /** Why any error is allowed beside those of the rules. */
  readonly anyError?: string;
  /** An error that objects without rules can give. */
  readonly alsoError?: { readonly errno: ErrnoName; readonly why: string };
  /** What the call returns if it succeeds. */
  readonly success: 'zero' | 'flag' | 'descriptor' | 'any';
  /** No rule is about this call. */
  readonly isUnspecified?: true;
};

const DRIVERS = "the log does not show the devices, and their drivers' answers have no rules";
const OTHER_FILE = 'the log does not show what file this is';
const UNSPECIFIED = 'some structs of this call have no rules';

/** Calls with structs, or on devices, for which the specification has no rules. */
const WITHOUT_RULES: Readonly<Record<string, string>> = {
  IOMMU_HWPT_ALLOC: UNSPECIFIED,
  IOMMU_GET_HW_INFO: UNSPECIFIED,
  IOMMU_IOAS_MAP_FILE: UNSPECIFIED,
  IOMMU_HWPT_GET_DIRTY_BITMAP: UNSPECIFIED,
  IOMMU_TEST_CMD: UNSPECIFIED,
};

const UNMAP_OF_QUEUE = {
  errno: 'EBUSY',
  why: 'a hardware queue, which has no rules, may use the memory',
} as const;

/** The part and those that it uses, and so on. */
const withUsed = (parts: readonly PartId[]): readonly PartId[] => {
  const all = new Set(parts);
  for (const part of all) for (const used of partsUsedBy(part)) all.add(used);
  return [...all];
};

const rulesOf = (parts: readonly PartId[]): readonly Rule<RuleId>[] =>
  parts.flatMap((part) => ALL_PARTS.find(({ id }) => id === part)?.rules ?? []);

const refusing = (parts: readonly PartId[]): readonly Rule<RuleId>[] =>
  rulesOf(withUsed(parts)).filter(({ errno }) => errno !== undefined);

const granting = (parts: readonly PartId[]): readonly Rule<RuleId>[] =>
  rulesOf(parts).filter(({ errno }) => errno === undefined);

const UNSPECIFIED_CALL = {
  grants: [],
  refusals: [],
  success: 'any',
  isUnspecified: true,
} as const;

const onIommufd = (command: number): Answers => {
  const native = NATIVE_CALLS.find((call) => call.command === command);
  if (native !== undefined) {
    const { name } = native;
    const own =
      name === 'IOMMU_TEST_CMD'
        ? partsIn('Test commands')
        : ALL_PARTS.filter(({ title }) => title === name).map(({ id }) => id);
    if (own.length === 0) return { ...UNSPECIFIED_CALL, anyError: UNSPECIFIED, success: 'zero' };
    const anyError = WITHOUT_RULES[name];
    return {
      grants: granting(own),
      refusals: refusing(['ioctl-dispatch', 'respond', ...own]),
      // Most test commands return 0, some the number of what they made.
      success: name === 'IOMMU_TEST_CMD' ? 'any' : 'zero',
      ...(anyError === undefined ? {} : { anyError }),
      ...(name === 'IOMMU_IOAS_UNMAP' ? { alsoError: UNMAP_OF_QUEUE } : {}),
    };
  }
  const own = COMPAT[command];
  if (command === vfio.VFIO_GET_API_VERSION) {
    return { grants: [ruleAt('compat-dispatch/api-version')], refusals: [], success: 'zero' };
  }
  return {
    grants: own === undefined ? [] : granting([own]),
    refusals: refusing(['ioctl-dispatch', 'compat-dispatch', ...(own === undefined ? [] : [own])]),
    success: command === vfio.VFIO_CHECK_EXTENSION ? 'flag' : 'zero',
  };
};

const COMPAT: Readonly<Record<number, PartId>> = {
  [vfio.VFIO_CHECK_EXTENSION]: 'compat-check-extension',
  [vfio.VFIO_SET_IOMMU]: 'compat-set-iommu',
  [vfio.VFIO_IOMMU_GET_INFO]: 'compat-get-info',
  [vfio.VFIO_IOMMU_MAP_DMA]: 'compat-map-dma',
  [vfio.VFIO_IOMMU_UNMAP_DMA]: 'compat-unmap-dma',
};

const TYPE1: Readonly<Record<number, PartId>> = {
  [vfio.VFIO_CHECK_EXTENSION]: 'type1-check-extension',
  [vfio.VFIO_SET_IOMMU]: 'type1-set-iommu',
  [vfio.VFIO_IOMMU_GET_INFO]: 'type1-get-info',
  [vfio.VFIO_IOMMU_MAP_DMA]: 'type1-map-dma',
  [vfio.VFIO_IOMMU_UNMAP_DMA]: 'type1-unmap-dma',
  [vfio.VFIO_IOMMU_DIRTY_PAGES]: 'type1-dirty-pages',
};

const onContainer = (command: number): Answers => {
  if (command === vfio.VFIO_GET_API_VERSION) {
    return { grants: [ruleAt('type1-dispatch/api-version')], refusals: [], success: 'zero' };
  }
  const own = TYPE1[command];
  return {
    grants: own === undefined ? [] : granting([own]),
    refusals: refusing(['type1-dispatch', ...(own === undefined ? [] : [own])]),
    success: command === vfio.VFIO_CHECK_EXTENSION ? 'flag' : 'zero',
    ...(command === vfio.VFIO_SET_IOMMU ? { anyError: DRIVERS } : {}),
  };
};

const GROUP: Readonly<Record<number, PartId>> = {
  [vfio.VFIO_GROUP_GET_STATUS]: 'group-get-status',
  [vfio.VFIO_GROUP_SET_CONTAINER]: 'group-set-container',
  [vfio.VFIO_GROUP_UNSET_CONTAINER]: 'group-unset-container',
  [vfio.VFIO_GROUP_GET_DEVICE_FD]: 'group-get-device-fd',
};

const ON_DRIVERS: ReadonlySet<number> = new Set([
  vfio.VFIO_GROUP_SET_CONTAINER,
  vfio.VFIO_GROUP_GET_DEVICE_FD,
]);

const onGroup = (command: number): Answers => {
  const own = GROUP[command];
  return {
    grants: own === undefined ? [] : granting([own]),
    refusals: refusing(['group-dispatch', ...(own === undefined ? [] : [own])]),
    success: command === vfio.VFIO_GROUP_GET_DEVICE_FD ? 'descriptor' : 'zero',
    ...(ON_DRIVERS.has(command) ? { anyError: DRIVERS } : {}),
  };
};

const DEVICE: Readonly<Record<number, PartId>> = {
  [vfio.VFIO_DEVICE_BIND_IOMMUFD]: 'device-bind-iommufd',
  [vfio.VFIO_DEVICE_ATTACH_IOMMUFD_PT]: 'device-attach-iommufd-pt',
  [vfio.VFIO_DEVICE_DETACH_IOMMUFD_PT]: 'device-detach-iommufd-pt',
};

const onDevice = (kind: 'device' | 'cdev', command: number): Answers => {
  const own = DEVICE[command];
  if (own === undefined) return { ...UNSPECIFIED_CALL, anyError: DRIVERS };
  return {
    grants: kind === 'device' ? [] : granting([own]),
    refusals: refusing(['device-dispatch', own]),
    anyError: DRIVERS,
    success: 'zero',
  };
};

const onKind = (kind: FileKind, command: number): Answers => {
  switch (kind) {
    case 'iommufd':
      return onIommufd(command);
    case 'container':
      return onContainer(command);
    case 'group':
      return onGroup(command);
    case 'device':
    case 'cdev':
      return onDevice(kind, command);
    case 'other':
      // ';' is the type of VFIO and iommufd alone: no other driver has such calls.
      return { grants: [], refusals: [], anyError: OTHER_FILE, success: 'zero' };
  }
};

const known = new Map<string, Answers>();

/** What an ioctl with this number may answer on a file of this kind. */
export const answersOn = (kind: FileKind, command: number): Answers => {
  const key = `${kind} ${command}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const answers = onKind(kind, command);
  // Numbers without rules are too many to keep.
  if (answers.grants.length > 0) known.set(key, answers);
  return answers;
};

/** Whether a result is one with which the call succeeds. */
export const isSuccess = ({ grants, success, isUnspecified }: Answers, result: number): boolean => {
  if (grants.length === 0 && isUnspecified !== true) return false;
  switch (success) {
    case 'zero':
      return result === 0;
    case 'flag':
      return result === 0 || result === 1;
    case 'descriptor':
    case 'any':
      return result >= 0;
  }
};
