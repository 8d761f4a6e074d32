// Every alphabet, by name.

import type { Alphabet } from '../letters.ts';
import { ACCESS } from './access.ts';
import { COMPAT } from './compat.ts';
import { LIFECYCLE } from './lifecycle.ts';
import { MEMORY } from './memory.ts';
import { NATIVE } from './native.ts';
import { NOIOMMU } from './noiommu.ts';
import { RESERVED } from './reserved.ts';
import { TRANSFERS } from './transfers.ts';
import { TYPE1 } from './type1.ts';

export const ALPHABETS: readonly Alphabet[] = [
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
