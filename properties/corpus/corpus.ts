// SPDX-License-Identifier: MIT
// Every example, by topic.

import { ACCESSES } from './accesses.ts';
import { DESCRIPTORS } from './descriptors.ts';
import { DEVICE_FILES } from './device-files.ts';
import { DEVICES } from './devices.ts';
import type { Example } from './example.ts';
import { MAPPING } from './mapping.ts';
import { MEMORY } from './memory.ts';
import { NOIOMMU_DEVICES } from './noiommu-devices.ts';
import { NOIOMMU_GROUPS } from './noiommu-groups.ts';
import { NATIVE_REFUSALS } from './refusals-native.ts';
import { OTHER_REFUSALS } from './refusals-other.ts';
import { TRACKING } from './tracking.ts';
import { TRANSFERS } from './transfers.ts';
import { TYPE1_DIRTY } from './type1-dirty.ts';
import { TYPE1_GROUPS } from './type1-groups.ts';
import { TYPE1_MAPS } from './type1-maps.ts';
import { UNMAPPING } from './unmapping.ts';
import { USED_PARTS } from './used-parts.ts';

export const CORPUS: Readonly<Record<string, readonly Example[]>> = {
  'descriptors and the ioctl dispatch': DESCRIPTORS,
  mapping: MAPPING,
  'kinds of memory': MEMORY,
  unmapping: UNMAPPING,
  'devices and groups': DEVICES,
  "devices' own files": DEVICE_FILES,
  'devices without an IOMMU': [...NOIOMMU_GROUPS, ...NOIOMMU_DEVICES],
  'transfers and charges': TRANSFERS,
  'hardware and dirty pages': TRACKING,
  accesses: ACCESSES,
  'refusals of native calls': NATIVE_REFUSALS,
  'refusals of test operations and others': OTHER_REFUSALS,
  'legacy containers and groups': TYPE1_GROUPS,
  'maps of legacy containers': TYPE1_MAPS,
  'dirty pages of legacy containers': TYPE1_DIRTY,
  'what calls share': USED_PARTS,
};
