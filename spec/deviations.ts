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
  /** A line of the kernel's log by which it shows, as a regular expression; absent where a reply shows it. */
  readonly complaint?: string;
};

export const DEVIATIONS: readonly Deviation[] = [
  {
    id: 'warns-of-a-map-it-refuses',
    releases: ['7.3.4'],
    says: 'A map that an IOMMU driver refuses is answered with an error; the release also warns in its log.',
    evidence:
      'Seen on 7.3.4 with mock domains: "WARNING: drivers/iommu/generic_pt/…/iommu_pt.h at …_map_range". Not mended in 7.3.4. docs/findings/0001.',
    complaint: 'generic_pt/.*iommu_pt\\.h:\\d+ at \\w*map_range',
  },
];

/** The known deviation of a release that a line of its log shows. */
export const deviationOfComplaint = (release: ReleaseName, line: string): Deviation | undefined =>
  DEVIATIONS.find(
    ({ complaint, releases }) =>
      complaint !== undefined && releases.includes(release) && new RegExp(complaint).test(line),
  );
