// SPDX-License-Identifier: MIT
// The rules that `check` cannot reach in a setting, with the reason; not those that it could have reached.

import { isRuleOf, releasesOf } from '../../spec/parts-used.ts';
import { type PartId, partIdOf, partsIn, type RuleId, ruleIdOf } from '../../spec/rules.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { releaseOf } from '../../spec/terms/releases.ts';
import type { Rule } from '../../spec/terms/rule.ts';

const NO_IOMMU_IS_PRIVILEGED =
  'a no-IOMMU group is opened by a privileged process only, and a program keeps its privilege';

const OUT_OF_SIGHT =
  'calls after such a map could not be judged if there were other maps; programs avoid it';
const ISOLATED = 'every platform isolates interrupts, except those of the audit';
const ALL_OF_VFIO = 'VFIO has every device of the groups, except on one platform of the audit';

/** Rules that no generated program reaches anywhere. */
export const NEVER: Readonly<Partial<Record<RuleId, string>>> = {
  'cutting/large-pages':
    'areas are cut only where large pages are disabled; the kernel checks again for a thread that enables them meanwhile',
  'accesses/read-only-pages':
    'an area is writable only if its memory was mapped so, and the area is checked first',
  'accesses/detached': 'an access without an IOAS is an mdev, which asks for nothing by itself',
  'locked-memory/process-limit':
    'charging the process needs CAP_SYS_RESOURCE, with which there is no limit',
  'mapping/page-count-wraps':
    'no length so close to 2^64 is generated with an address in the first page; the kernel would warn of each',
  'destroy/untracked': 'it belongs to calls that are not specified; their replies are never judged',
  'compat-set-iommu/no-iommu-not-privileged': NO_IOMMU_IS_PRIVILEGED,
  'type1-set-iommu/no-iommu-not-privileged': NO_IOMMU_IS_PRIVILEGED,
  'group-set-container/no-iommu-not-privileged': NO_IOMMU_IS_PRIVILEGED,
  'group-get-device-fd/no-iommu-not-privileged': NO_IOMMU_IS_PRIVILEGED,
  'group-get-device-fd/type1-no-iommu-not-privileged': NO_IOMMU_IS_PRIVILEGED,
  'type1-map-dma/maps-to-end': OUT_OF_SIGHT,
  'type1-map-dma/maps-over-missed': OUT_OF_SIGHT,
  'type1-unmap-dma/unmaps-none-missed': OUT_OF_SIGHT,
  'type1-attach-group/no-iova-left': 'no platform has a device that reserves every IOVA',
  'type1-locked-memory/new-owner-limit': 'a program is one process',
  'type1-attach-group/interrupts-not-isolated': ISOLATED,
  'binding/interrupts-not-isolated': ISOLATED,
  'group-set-container/group-in-use': ALL_OF_VFIO,
  'binding/group-in-use': ALL_OF_VFIO,
};

type Need = {
  /** All rules of these parts except `exceptions`, and these rules in addition. */
  readonly parts?: readonly PartId[];
  readonly except?: readonly RuleId[];
  readonly rules?: readonly RuleId[];
  readonly has: (setting: Setting) => boolean;
  readonly reason: string;
};

const hasDevice = ({ platform }: Setting): boolean => platform.devices.length > 0;
const mapsFiles = ({ release }: Setting): boolean => releaseOf(release).has.IOMMU_IOAS_MAP_FILE;

const NEEDS: readonly Need[] = [
  {
    parts: [
      ...partsIn('VFIO ioctls of a group'),
      ...partsIn('VFIO ioctls of a device'),
      'type1-set-iommu',
      'type1-get-info',
      'type1-map-dma',
      'type1-unmap-dma',
      'type1-dirty-pages',
      'type1-attach-group',
      'type1-pinning',
      'type1-locked-memory',
    ],
    except: [
      'type1-set-iommu/no-group',
      'type1-set-iommu/no-iommu-only',
      'type1-set-iommu/no-iommu-not-privileged',
      'type1-set-iommu/no-iommu',
    ],
    rules: [
      'type1-dispatch/unknown-ioctl',
      'open/no-group',
      'open/device-bound',
      'open/group-open',
      'open/group',
      'open/no-device',
      'open/device',
    ],
    has: hasDevice,
    reason: 'the platform has no device for a group or a legacy container',
  },
  {
    rules: [
      'compat-set-iommu/no-iommu',
      'type1-dispatch/no-iommu',
      'type1-check-extension/no-iommu-groups',
      'type1-set-iommu/no-iommu-only',
      'type1-set-iommu/no-iommu',
      'attaching/not-for-hardware',
      'group-set-container/joins-no-iommu',
      'group-set-container/no-iommu-with-ioas',
      'group-set-container/sets-no-iommu',
      'group-set-container/serves-no-iommu',
      'group-unset-container/unsets-no-iommu',
      'group-get-device-fd/no-iommu-with-ioas',
    ],
    has: ({ platform, credentials }) =>
      credentials.privileged && platform.devices.some(({ iommu }) => iommu === 'noiommu'),
    reason: 'the platform has no no-IOMMU group, or the program may not open one',
  },
  {
    parts: ['dma'],
    has: ({ platform }) => platform.devices.some(({ dmaEngine }) => dmaEngine === true),
    reason: 'no device of the platform transfers memory for a program',
  },
  {
    parts: ['type1-pinning'],
    has: ({ platform }) => platform.devices.some(({ iommu }) => typeof iommu === 'number'),
    reason: 'the platform has no device behind an IOMMU',
  },
  {
    rules: ['option/rlimit-objects-exist', 'option/rlimit-value', 'option/rlimit-set'],
    has: ({ credentials }) => credentials.privileged,
    reason: 'the program is not privileged',
  },
  {
    rules: [
      'option/rlimit-not-privileged',
      'locked-memory/user-limit',
      'type1-locked-memory/process-limit',
    ],
    has: ({ credentials }) => !credentials.privileged,
    reason: 'the program is privileged: it has no limit',
  },
  {
    parts: partsIn('Test commands'),
    has: ({ platform }) => platform.testCommands,
    reason: 'the kernel has no test commands',
  },
  {
    rules: ['pinning/file-too-short'],
    has: mapsFiles,
    reason: 'the release has no such call or field',
  },
];

const isOf = ({ parts, except, rules }: Need, rule: Rule): boolean => {
  const id = ruleIdOf(rule);
  if (rules?.includes(id) === true) return true;
  return parts?.includes(partIdOf(rule)) === true && except?.includes(id) !== true;
};

/** Why no generated program reaches the rule in the setting; undefined if one can. */
export const whyNotIn = (rule: Rule, setting: Setting): string | undefined => {
  const never = NEVER[ruleIdOf(rule)];
  if (never !== undefined) return never;
  if (!isRuleOf(releaseOf(setting.release), rule)) {
    return `it is of ${releasesOf(rule)?.join(', ')} only`;
  }
  return NEEDS.find((need) => isOf(need, rule) && !need.has(setting))?.reason;
};

/** Why no generated program reaches the rule in any of the settings; undefined if one can. */
export const whyNot = (rule: Rule, settings: readonly Setting[]): string | undefined => {
  const reasons = settings.map((setting) => whyNotIn(rule, setting));
  if (reasons.length === 0 || reasons.includes(undefined)) return undefined;
  return [...new Set(reasons)].join('; or ');
};
