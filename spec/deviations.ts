// Where a release is known not to do what the contract says, with the evidence. Nothing is listed that was not
// seen on a real kernel.

import type { ReleaseName } from './releases.ts';

export type DeviationId = string;

export type Deviation = {
  readonly id: DeviationId;
  readonly releases: readonly ReleaseName[];
  /** What the contract says, and what the release does instead. */
  readonly says: string;
  /** How it was seen, and the commit that mended it where one did. */
  readonly evidence: string;
};

export const DEVIATIONS: readonly Deviation[] = [];
