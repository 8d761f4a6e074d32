// SPDX-License-Identifier: MIT
// The IOMMU of the kernel's own tests: its domains are real page tables that no hardware walks.
// drivers/iommu/iommufd/selftest.c (mock_ops).

import { MOCK_APERTURE_LAST, MOCK_APERTURE_START } from '../../../spec/abi/test.ts';
import type { Release } from '../../../spec/terms/releases.ts';
import type { Hardware } from '../domain.ts';

export class MockIommu {
  /** Domains of plain devices, and of those with the huge-page flag. */
  readonly plain: Hardware;
  readonly huge: Hardware;

  constructor(release: Release) {
    const { plain, huge } = release.mockPageSizes;
    this.plain = this.#hardware(plain, release);
    this.huge = this.#hardware(huge, release);
  }

  #hardware(pageSizes: bigint, release: Release): Hardware {
    return {
      owner: this,
      pageSizes,
      aperture: { start: MOCK_APERTURE_START, last: MOCK_APERTURE_LAST },
      enforcesCacheCoherency: false,
      needsPermission: !release.mockMapsWithoutPermission,
      readsWhereItWrites: false,
      mock: true,
    };
  }
}
