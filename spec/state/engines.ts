// SPDX-License-Identifier: MIT
// Devices with a DMA engine: the contents of their buffers, and the accesses that an IOMMU refused.

import type { DmaDirection } from '../terms/call.ts';

/** A DMA fault: an access that an IOMMU refused. */
export type DmaFault = {
  /** The device's name. */
  readonly device: string;
  readonly direction: DmaDirection;
  /** The first IOVA of the page of 4096 bytes. */
  readonly page: bigint;
};

export type Engines = {
  /** By device name: the contents of the buffer, as far as the device has filled it since the program started. */
  readonly buffers: ReadonlyMap<string, Uint8Array>;
  /** Every refused access, latest last. */
  readonly faults: readonly DmaFault[];
};

export const NO_ENGINES: Engines = { buffers: new Map(), faults: [] };
