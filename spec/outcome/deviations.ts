// SPDX-License-Identifier: MIT
// Known deviations of releases from the contract, with evidence. Each was observed on a real kernel.

import type { World } from '../state/world.ts';
import type { Release } from '../terms/releases.ts';
import type { OnlyIf } from '../terms/rule.ts';
import { hasHoleBetweenUsers } from './page-users.ts';

export type DeviationId = string;

export type Deviation = {
  readonly id: DeviationId;
  /** The releases that deviate; all if absent. */
  readonly only?: OnlyIf;
  /** What the contract says, and what the release does instead. */
  readonly says: string;
  /** How it was observed, and the commit that fixed it, if there is one. */
  readonly evidence: string;
  /** A regular expression that matches its line in the kernel's log; absent if a reply shows the deviation. */
  readonly complaint?: string;
  /** The line is known only for programs that reach such a world; for every program if absent. */
  readonly where?: (world: World) => boolean;
};

export const DEVIATIONS: readonly Deviation[] = [
  {
    id: 'warns-of-a-map-it-refuses',
    only: { change: 'mockPageTables', has: true },
    says: 'A map that an IOMMU driver refuses fails with an error. The release also warns in its log.',
    evidence:
      'Observed on 7.3.4 with mock domains: "WARNING: drivers/iommu/generic_pt/…/iommu_pt.h at …_map_range". Not fixed in 7.3.4. docs/findings/0001.',
    complaint: 'generic_pt/.*iommu_pt\\.h:\\d+ at \\w*map_range',
  },
  {
    id: 'warns-of-pages-that-wrap',
    says: 'A map whose memory, rounded up to pages, passes 2^64 fails with an error. The releases also warn in their log.',
    evidence:
      'Observed on 6.12.95 and 7.3.4: "WARNING: … drivers/iommu/iommufd/io_pagetable.c … iopt_insert_area". Not fixed in 7.3.4. docs/findings/0006.',
    complaint: 'iommufd/io_pagetable\\.c:\\d+ (?:at )?iopt_insert_area\\b',
  },
  {
    id: 'reads-what-is-unmapped',
    only: { change: 'mockPageTables', has: false },
    says: 'A domain is asked only for IOVAs that it translates. If an area is unmapped while others pin pages in its middle, the release also asks for IOVAs that it has unmapped already, and the mock domain warns.',
    evidence:
      'Observed on 6.12.95 with mock domains: "WARNING: … drivers/iommu/iommufd/selftest.c … mock_domain_iova_to_phys". 7.3.4 has the same iopt_area_unpin_domain(), and its mock domain does not warn. docs/findings/0005.',
    complaint: 'iommufd/selftest\\.c:\\d+ mock_domain_iova_to_phys',
    where: hasHoleBetweenUsers,
  },
];

/** The known deviation that a line of the release's log shows, after a program that went through the worlds. */
export const deviationOfComplaint = (
  release: Release,
  line: string,
  worlds: readonly World[],
): Deviation | undefined =>
  DEVIATIONS.find(
    ({ complaint, only, where }) =>
      complaint !== undefined &&
      (only === undefined || release.has[only.change] === only.has) &&
      new RegExp(complaint).test(line) &&
      (where === undefined || worlds.some(where)),
  );
