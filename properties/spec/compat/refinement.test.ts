// SPDX-License-Identifier: MIT
// The VFIO calls of an iommufd are its native calls under other names, and are generated often enough to count.

import { REFINEMENTS } from '../../../model/laws/refinement.ts';
import { checkLaws, refinement } from '../../harness/law.ts';
import { worldDifference } from '../../helpers/comparable.ts';

/** How often each must apply to the generated programs. */
const AT_LEAST = [300, 200];

checkLaws(
  'VFIO calls refine native ones',
  REFINEMENTS.map(({ name, compare }, index) =>
    refinement(name, AT_LEAST[index] ?? 1, (visit) => compare(visit, worldDifference)),
  ),
);
