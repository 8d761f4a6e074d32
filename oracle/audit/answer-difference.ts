// SPDX-License-Identifier: MIT
// One way in which the answers of the two sides differ.

import type { Segment } from '../../spec/terms/call.ts';

/** What came of an operation on one side: the result or -errno, and the memory that was compared, after it. */
export type Answered = { readonly result: number; readonly after: readonly Segment[] };

/** In words. */
export type DifferenceKind = {
  /** "result", "size", "capability DMA_AVAIL: avail". */
  readonly what: string;
  readonly legacy: string;
  readonly compat: string;
};
