// SPDX-License-Identifier: MIT
// The parts that each part uses, and the releases that have a part.

import type { NativeCallName } from './abi/native.ts';
import type { PartId } from './rules.ts';
import { RELEASES, type ReleaseName } from './terms/releases.ts';
import type { Part } from './terms/rule.ts';

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

/** The releases that have the part; undefined if all have it. */
export const releasesOf = (part: Pick<Part, 'title'>): readonly ReleaseName[] | undefined => {
  // The title of a call's part is the name of the call.
  const releases = Object.values(RELEASES);
  const having = releases.filter(
    ({ absentCalls }) => !absentCalls.has(part.title as NativeCallName),
  );
  return having.length === releases.length ? undefined : having.map(({ name }) => name);
};
