// Where the two releases check in another order, so that a call with two mistakes answers differently, and
// where their mock IOMMUs differ.

import type { ReleaseName } from '../../spec/releases.ts';

export type KernelDifferences = {
  /** A length that cannot be rounded up to pages is refused before address plus length is looked at. */
  readonly lengthBeforeAddress: boolean;
  /** MD_CHECK_MAP looks at alignment before it looks for the hwpt. */
  readonly alignmentBeforeHwpt: boolean;
  /** A mock domain refuses to map without read and write permission, as other IOMMUs do. */
  readonly mockNeedsPermission: boolean;
};

export const KERNEL_DIFFERENCES: Readonly<Record<ReleaseName, KernelDifferences>> = {
  '6.12.95': {
    lengthBeforeAddress: true,
    alignmentBeforeHwpt: true,
    mockNeedsPermission: false,
  },
  '7.3.4': {
    lengthBeforeAddress: false,
    alignmentBeforeHwpt: false,
    mockNeedsPermission: true,
  },
};
