// SPDX-License-Identifier: MIT
// What is known of devices that move memory when a program starts a transfer: what their buffers hold, and which of their
// accesses an IOMMU refused.

import type { DmaDirection } from '../terms/call.ts';

/** An access that an IOMMU refused and reports. */
export type DmaFault = {
  /** The device's name. */
  readonly device: string;
  readonly direction: DmaDirection;
  /** The first byte of the page of 4096 bytes. */
  readonly page: bigint;
};

export type Engines = {
  /** By the device's name: what its buffer holds from its start, as far as it read since the program began. */
  readonly buffers: ReadonlyMap<string, Uint8Array>;
  /** Every access that was refused, the latest last. */
  readonly faults: readonly DmaFault[];
};

export const NO_ENGINES: Engines = { buffers: new Map(), faults: [] };
