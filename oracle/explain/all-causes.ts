// SPDX-License-Identifier: MIT
// Every cause.

import type { Cause } from './cause.ts';
import type { CauseId } from './cause-id.ts';
import { argumentCauses } from './causes/arguments.ts';
import { deviceCauses } from './causes/devices.ts';
import { fileCauses } from './causes/files.ts';
import { groupCauses } from './causes/groups.ts';
import { mapCauses } from './causes/maps.ts';
import { memoryCauses } from './causes/memory.ts';
import { rangeCauses } from './causes/ranges.ts';

export const CAUSES: Readonly<Record<CauseId, Cause>> = {
  ...memoryCauses,
  ...rangeCauses,
  ...argumentCauses,
  ...mapCauses,
  ...groupCauses,
  ...deviceCauses,
  ...fileCauses,
};
