// SPDX-License-Identifier: MIT
// Where a release is known not to do what the contract says, with the evidence. Nothing is listed that was not
// seen on a real kernel.

import type { World } from '../state/world.ts';
import type { ReleaseName } from '../terms/releases.ts';
import { hasHoleBetweenHolders } from './page-holders.ts';

export type DeviationId = string;

export type Deviation = {
  readonly id: DeviationId;
  readonly releases: readonly ReleaseName[];
  /** What the contract says, and what the release does instead. */
  readonly says: string;
  /** How it was seen, and the commit that fixed it where one did. */
  readonly evidence: string;
  /** A line of the kernel's log by which it shows, as a regular expression; absent where a reply shows it. */
  readonly complaint?: string;
  /** A line is known only of a program that came into such a world; of every program where it is absent. */
  readonly where?: (world: World) => boolean;
};

export const DEVIATIONS: readonly Deviation[] = [
  {
    id: 'warns-of-a-map-it-refuses',
    releases: ['7.3.4'],
    says: 'A map that an IOMMU driver refuses is answered with an error; the release also warns in its log.',
    evidence:
      'Seen on 7.3.4 with mock domains: "WARNING: drivers/iommu/generic_pt/…/iommu_pt.h at …_map_range". Not fixed in 7.3.4. docs/findings/0001.',
    complaint: 'generic_pt/.*iommu_pt\\.h:\\d+ at \\w*map_range',
  },
  {
    id: 'warns-of-pages-that-wrap',
    releases: ['6.12.95', '7.3.4'],
    says: 'A map whose memory, rounded up to pages, passes 2^64 is answered with an error; the releases also warn in their log.',
    evidence:
      'Seen on 6.12.95 and 7.3.4: "WARNING: … drivers/iommu/iommufd/io_pagetable.c … iopt_insert_area". Not fixed in 7.3.4. docs/findings/0006.',
    complaint: 'iommufd/io_pagetable\\.c:\\d+ (?:at )?iopt_insert_area\\b',
  },
  {
    id: 'reads-what-is-unmapped',
    releases: ['6.12.95'],
    says: 'A domain is asked only for what it translates; where an area is unmapped of which others pin pages in between, the release also asks for what it has unmapped already, of which the mock domain warns.',
    evidence:
      'Seen on 6.12.95 with mock domains: "WARNING: … drivers/iommu/iommufd/selftest.c … mock_domain_iova_to_phys". 7.3.4 has the same iopt_area_unpin_domain(), and its mock domain does not warn. docs/findings/0005.',
    complaint: 'iommufd/selftest\\.c:\\d+ mock_domain_iova_to_phys',
    where: hasHoleBetweenHolders,
  },
];

/** The known deviation of a release that a line of its log shows, after a program that came into the worlds. */
export const deviationOfComplaint = (
  release: ReleaseName,
  line: string,
  worlds: readonly World[],
): Deviation | undefined =>
  DEVIATIONS.find(
    ({ complaint, releases, where }) =>
      complaint !== undefined &&
      releases.includes(release) &&
      new RegExp(complaint).test(line) &&
      (where === undefined || worlds.some(where)),
  );
