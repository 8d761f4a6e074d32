// SPDX-License-Identifier: MIT
// The files through which programs call VFIO: an iommufd, a legacy container, or both in one
// program.

import type { Platform } from '../../spec/terms/platform.ts';
import type { Rng } from './rng.ts';

export const PATHS = ['iommufd', 'legacy', 'both'] as const;

export type Paths = (typeof PATHS)[number];

/** What the programs of a campaign use: one of the three, or a mix. */
export type PathsOfCampaign = Paths | 'any';

/**
 * Of sixteen programs so many use a legacy container alone, and so many both; without groups a
 * container refuses most calls.
 */
const WITH_GROUPS = { legacy: 5, both: 3 };
const WITHOUT_GROUPS = { legacy: 1, both: 0 };

export const generatePaths = (rng: Rng, platform: Platform, wanted: PathsOfCampaign): Paths => {
  if (wanted !== 'any') return wanted;
  const { legacy, both } = platform.devices.length > 0 ? WITH_GROUPS : WITHOUT_GROUPS;
  const generated = rng.number(1, 16);
  return generated <= legacy ? 'legacy' : generated <= legacy + both ? 'both' : 'iommufd';
};
