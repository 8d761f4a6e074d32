// SPDX-License-Identifier: MIT
// An IOMMU domain: what it can translate. What it does translate follows from areas and maps (spec/hardware), and is
// not stored.

import type { IovaRange } from '../terms/platform.ts';

export type HardwareDomain = {
  /** The IOMMU that it was made for. */
  readonly iommu: string;
  /** Bitmap: bit n is set if an entry can map 2^n bytes. */
  readonly pageSizes: bigint;
  readonly aperture: IovaRange;
  /** It enforces cache coherency for every access. */
  readonly enforcesCacheCoherency: boolean;
  /** It can have entries that permit neither reads nor writes. */
  readonly mapsWithoutPermission: boolean;
  /** Entries that permit writes also permit reads. */
  readonly writeImpliesRead: boolean;
  /** Mock domains only: it can track dirty pages. */
  readonly tracksDirty: boolean;
};
