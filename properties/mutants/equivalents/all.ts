// The whole table of equivalent mutants.

import type { Equivalent } from '../equivalent.ts';

export const EQUIVALENT: readonly Equivalent[] = [];
