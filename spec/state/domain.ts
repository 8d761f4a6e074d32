// SPDX-License-Identifier: MIT
// An IOMMU domain: what the hardware can translate with it. What it does translate follows from the areas of
// its IOAS (translate.ts), and is kept nowhere else.

import type { IovaRange } from '../terms/platform.ts';

export type HardwareDomain = {
  /** Which IOMMU it was made for. */
  readonly iommu: string;
  /** Bitmap: bit n is set where an entry can map 2^n bytes. */
  readonly pageSizes: bigint;
  readonly aperture: IovaRange;
  /** Every access through it is coherent. */
  readonly enforcesCacheCoherency: boolean;
  /** Its entries can exist without letting a device read or write. */
  readonly mapsWithoutPermission: boolean;
  /** A device can read wherever it can write. */
  readonly readsWhereItWrites: boolean;
  /** Mock domains only: made for tracking dirty pages. */
  readonly tracksDirty: boolean;
};
