// Which rules `check` cannot reach in a setting, with the reason, so that they are told from those that it did not reach.

import { releasesOf } from '../../spec/rules.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import type { Rule } from '../../spec/terms/rule.ts';

const NO_IOMMU_IS_PRIVILEGED =
  'a no-IOMMU group is opened by a privileged process only, and a program keeps its privilege';

const OUT_OF_SIGHT =
  'beside other maps what follows such a map could not be judged; programs keep away from it';
const ISOLATED = 'every platform isolates interrupts but those of the audit';
const ALL_OF_VFIO = 'VFIO has every device of the groups, on all platforms but one of the audit';

/** Rules that no drawn program reaches anywhere. */
export const NEVER: Readonly<Record<string, string>> = {
  'cutting/large-pages':
    'areas are cut only where large pages are disabled; the kernel checks again for a thread that enables them meanwhile',
  'accesses/read-only-pages':
    'an area is writable only if its memory was mapped so, and the area is looked at first',
  'accesses/detached':
    'an in-kernel user without an IOAS is a mediated device, which asks for nothing by itself',
  'locked memory/process-limit':
    'charging the process takes CAP_SYS_RESOURCE, and who has it has no limit',
  'mapping/pages-wrap':
    'no length so close to 2^64 is drawn with an address in the first page; the kernel would warn of each',
  'IOMMU_DESTROY/uncertain': 'it is of calls that are not specified: their reply is never judged',
  'VFIO_SET_IOMMU/no-iommu-not-privileged': NO_IOMMU_IS_PRIVILEGED,
  'type1 VFIO_SET_IOMMU/no-iommu-not-privileged': NO_IOMMU_IS_PRIVILEGED,
  'VFIO_GROUP_SET_CONTAINER/no-iommu-not-privileged': NO_IOMMU_IS_PRIVILEGED,
  'VFIO_GROUP_GET_DEVICE_FD/no-iommu-not-privileged': NO_IOMMU_IS_PRIVILEGED,
  'VFIO_GROUP_GET_DEVICE_FD/no-iommu-under-type1': NO_IOMMU_IS_PRIVILEGED,
  'type1 VFIO_IOMMU_MAP_DMA/maps-out-of-reach': OUT_OF_SIGHT,
  'type1 VFIO_IOMMU_MAP_DMA/maps-over-unseen': OUT_OF_SIGHT,
  'type1 VFIO_IOMMU_UNMAP_DMA/unmaps-none-seen': OUT_OF_SIGHT,
  'attaching to type1/nothing-left': 'no platform has a device that reserves every IOVA',
  'type1 locked memory/new-owner-limit': 'a program is one process',
  'attaching to type1/interrupts-not-isolated': ISOLATED,
  'binding a device/interrupts-not-isolated': ISOLATED,
  'VFIO_GROUP_SET_CONTAINER/in-use': ALL_OF_VFIO,
  'binding a device/group-in-use': ALL_OF_VFIO,
};

type Need = {
  /** Of ids of rules. */
  readonly rules: RegExp;
  readonly has: (setting: Setting) => boolean;
  readonly reason: string;
};

const hasDevice = ({ platform }: Setting): boolean => platform.devices.length > 0;
const isAfter612 = ({ release }: Setting): boolean => release !== '6.12.95';

const NEEDS: readonly Need[] = [
  {
    rules:
      /^(VFIO_GROUP_|VFIO_DEVICE_|groups\/|devices\/|attaching to type1\/|type1 (pinning|locked memory)\/|type1 VFIO_IOMMU_|type1 VFIO_SET_IOMMU\/(?!no-)|VFIO calls on a legacy container\/unknown-number|open\/(no-group|device-bound|group-busy|group|no-device|device)$)/,
    has: hasDevice,
    reason: 'the platform has no device for a group or a legacy container',
  },
  {
    rules:
      /^(VFIO_SET_IOMMU\/no-iommu$|VFIO calls on a legacy container\/no-iommu$|type1 VFIO_CHECK_EXTENSION\/no-iommu-groups$|type1 VFIO_SET_IOMMU\/no-iommu|attaching\/not-for-hardware$|VFIO_GROUP_.*no-iommu)/,
    has: ({ platform, credentials }) =>
      credentials.privileged && platform.devices.some(({ iommu }) => iommu === 'noiommu'),
    reason: 'the platform has no no-IOMMU group, or the program may not open one',
  },
  {
    rules: /^transfers by a device\//,
    has: ({ platform }) => platform.devices.some(({ dmaEngine }) => dmaEngine === true),
    reason: 'no device of the platform moves memory when it is told to',
  },
  {
    rules: /^type1 pinning\//,
    has: ({ platform }) => platform.devices.some(({ iommu }) => typeof iommu === 'number'),
    reason: 'the platform has no device behind an IOMMU',
  },
  {
    rules: /^(IOMMU_OPTION\/rlimit-(objects-exist|value|set)$)/,
    has: ({ credentials }) => credentials.privileged,
    reason: 'the program is not privileged',
  },
  {
    rules:
      /^(IOMMU_OPTION\/rlimit-not-privileged|locked memory\/user-limit|type1 locked memory\/limit)$/,
    has: ({ credentials }) => !credentials.privileged,
    reason: 'the program is privileged: it has no limit',
  },
  {
    rules: /^(IOMMU_TEST_CMD|looking at the caller's pages)/,
    has: ({ platform }) => platform.testCommands,
    reason: 'the kernel has no test commands',
  },
  {
    rules:
      /^(VFIO_DEVICE_BIND_IOMMUFD\/(token-|tail-)|VFIO_DEVICE_(ATTACH|DETACH)_IOMMUFD_PT\/.*pasid|pinning\/file-too-short)/,
    has: isAfter612,
    reason: 'the release has no such call or field',
  },
];

/** Why no drawn program reaches the rule in the setting; undefined where one can. */
export const whyNotIn = (rule: Rule, setting: Setting): string | undefined => {
  const never = NEVER[rule.id];
  if (never !== undefined) return never;
  const releases = rule.only ?? releasesOf(rule.part);
  if (releases !== undefined && !releases.includes(setting.release)) {
    return `it is of ${releases.join(', ')} only`;
  }
  return NEEDS.find(({ rules, has }) => rules.test(rule.id) && !has(setting))?.reason;
};

/** Why no drawn program reaches the rule in any of the settings; undefined where one can in some of them. */
export const whyNot = (rule: Rule, settings: readonly Setting[]): string | undefined => {
  const reasons = settings.map((setting) => whyNotIn(rule, setting));
  if (reasons.length === 0 || reasons.includes(undefined)) return undefined;
  return [...new Set(reasons)].join('; or ');
};
