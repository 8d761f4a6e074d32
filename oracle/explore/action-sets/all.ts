// SPDX-License-Identifier: MIT
// Every action set, by name.

import type { ActionSet } from '../actions.ts';
import { ACCESS } from './access.ts';
import { COMPAT } from './compat.ts';
import { LIFECYCLE } from './lifecycle.ts';
import { MEMORY } from './memory.ts';
import { NATIVE } from './native.ts';
import { NOIOMMU } from './noiommu.ts';
import { RESERVED } from './reserved.ts';
import { TRANSFERS } from './transfers.ts';
import { TYPE1 } from './type1.ts';

export const ACTION_SETS: readonly ActionSet[] = [
  COMPAT,
  NATIVE,
  ACCESS,
  RESERVED,
  TYPE1,
  LIFECYCLE,
  TRANSFERS,
  NOIOMMU,
  MEMORY,
];
