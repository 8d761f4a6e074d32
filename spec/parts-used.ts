// SPDX-License-Identifier: MIT
// The parts that each part uses, and the releases that have a part.

import type { NativeCallName } from './abi/native.ts';
import type { PartId } from './rules.ts';
import {
  RELEASE_NAMES,
  type Release,
  type ReleaseName,
  releaseOf,
  undecidedChanges,
} from './terms/releases.ts';
import type { Part, Rule } from './terms/rule.ts';

const MAPPING = ['mapping', 'choosing-iova', 'pinning', 'locked-memory'] as const;
const FILLING = ['domains', 'alignment', 'reserving', 'pinning', 'locked-memory'] as const;
const ATTACHING = ['attaching', ...FILLING] as const;
const ATTACHING_ACCESS = ['attaching-access', 'alignment'] as const;

/** The parts that a part uses, in the order in which their rules are checked. */
const USES: Readonly<Partial<Record<PartId, readonly PartId[]>>> = {
  'ioas-alloc': ['respond'],
  'ioas-allow-iovas': ['reserving'],
  'ioas-copy': [...MAPPING],
  'ioas-iova-ranges': ['respond'],
  'ioas-map': ['alloc-pages', ...MAPPING],
  'ioas-unmap': ['unmapping'],
  option: ['large-pages', 'alignment'],
  'vfio-ioas': ['respond'],
  'hwpt-alloc': [...FILLING, 'respond'],
  'get-hw-info': ['respond'],
  'ioas-noiommu-get-pa': ['respond'],
  'ioas-map-file': ['alloc-pages', ...MAPPING],
  'ioas-change-process': ['locked-memory'],
  'compat-check-extension': ['compat-ioas'],
  'compat-set-iommu': ['compat-ioas', 'large-pages', 'alignment'],
  'compat-get-info': ['compat-ioas'],
  'compat-map-dma': [
    'compat-ioas',
    'alloc-pages',
    'mapping',
    'domains',
    'pinning',
    'locked-memory',
  ],
  'compat-unmap-dma': ['compat-ioas', 'cutting', 'unmapping'],
  'type1-set-iommu': ['type1-attach-group'],
  'type1-map-dma': ['type1-pinning', 'type1-locked-memory'],
  'type1-attach-group': ['type1-pinning', 'type1-locked-memory'],
  'group-set-container': ['type1-attach-group', 'type1-pinning', 'type1-locked-memory'],
  'group-get-device-fd': ['binding', 'compat-ioas', ...ATTACHING],
  'device-bind-iommufd': ['binding'],
  'device-attach-iommufd-pt': [...ATTACHING, 'attaching-access'],
  'test-mock-domain': [...ATTACHING, 'respond'],
  'test-mock-domain-replace': [...ATTACHING],
  'test-add-reserved': ['reserving'],
  'test-md-check-map': ['caller-pages'],
  'test-md-check-refs': ['caller-pages'],
  'test-create-access': [...ATTACHING_ACCESS, 'respond'],
  'test-access-replace-ioas': ['test-access-descriptor', ...ATTACHING_ACCESS],
  'test-access-pages': [
    'test-access-descriptor',
    'accesses',
    'pinning',
    'locked-memory',
    'caller-pages',
    'respond',
  ],
  'test-destroy-access-pages': ['test-access-descriptor'],
  'test-access-rw': ['test-access-descriptor', 'accesses', 'pinning'],
};

/** The parts that a part uses, in order; none if it uses no other. */
export const partsUsedBy = (part: PartId): readonly PartId[] => USES[part] ?? [];

const hasPart = ({ absentCalls }: Release, { title }: Pick<Part, 'title'>): boolean =>
  // The title of a call's part is the name of the call.
  !absentCalls.has(title as NativeCallName);

/** Whether the rule applies to the release. */
export const isRuleOf = (release: Release, { only, part }: Rule): boolean =>
  hasPart(release, part) && (only === undefined || release.has[only.change] === only.has);

/** The same; true as well if the version does not decide it. */
export const mayApply = (name: ReleaseName, rule: Rule): boolean => {
  const undecided: ReadonlySet<string> = undecidedChanges(name);
  const { only, part } = rule;
  const isUndecided =
    undecided.has(part.title) || (only !== undefined && undecided.has(only.change));
  return isUndecided || isRuleOf(releaseOf(name), rule);
};

const specified = (isOf: (release: Release) => boolean): readonly ReleaseName[] | undefined => {
  const names = RELEASE_NAMES.filter((name) => isOf(releaseOf(name)));
  return names.length === RELEASE_NAMES.length ? undefined : names;
};

/** The specified releases that the rule applies to; undefined if it applies to all. */
export const releasesOf = (rule: Rule): readonly ReleaseName[] | undefined =>
  specified((release) => isRuleOf(release, rule));

/** The specified releases that have the part; undefined if all have it. */
export const releasesOfPart = (part: Pick<Part, 'title'>): readonly ReleaseName[] | undefined =>
  specified((release) => hasPart(release, part));
