// SPDX-License-Identifier: MIT
// A difference between the answers of the two sides.

import type { Segment } from '../../spec/terms/call.ts';

/** The result or -errno of an operation on one side, and the compared memory after it. */
export type Answered = { readonly result: number; readonly after: readonly Segment[] };

/** In words. */
export type DifferenceKind = {
  /** "result", "size", "capability DMA_AVAIL: avail". */
  readonly what: string;
  readonly legacy: string;
  readonly compat: string;
};
