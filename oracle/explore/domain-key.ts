// SPDX-License-Identifier: MIT
// The part of a world's key for a hardware domain of an iommufd or a legacy container.

import type { HardwareDomain } from '../../spec/state/domain.ts';
import type { KeyWriter } from './key-writer.ts';

export const writeDomain = (writer: KeyWriter, domain: HardwareDomain): void => {
  writer.text(domain.iommu);
  writer.u64(domain.pageSizes);
  writer.u64(domain.aperture.start);
  writer.u64(domain.aperture.last);
  writer.byte(
    (domain.enforcesCacheCoherency ? 1 : 0) |
      (domain.mapsWithoutPermission ? 2 : 0) |
      (domain.writeImpliesRead ? 4 : 0) |
      (domain.tracksDirty ? 8 : 0),
  );
};
