// Every example, by what it is about.

import { ACCESSES } from './accesses.ts';
import { DESCRIPTORS } from './descriptors.ts';
import { DEVICES } from './devices.ts';
import type { Example } from './example.ts';
import { MAPPING } from './mapping.ts';
import { REFUSALS } from './refusals.ts';
import { UNMAPPING } from './unmapping.ts';

export const CORPUS: Readonly<Record<string, readonly Example[]>> = {
  'descriptors and the door': DESCRIPTORS,
  mapping: MAPPING,
  unmapping: UNMAPPING,
  'devices and groups': DEVICES,
  'in-kernel users': ACCESSES,
  refusals: REFUSALS,
};
