// SPDX-License-Identifier: MIT
// Facts of the machine and the program that an input does not state. Each is a set of values, which narrows as replies
// show which of them can be. The setting of a world always has one value of each set.

/** A number from `atLeast` on, below `below`. */
export type Bounds = { readonly atLeast: bigint; readonly below: bigint };

/** What is absent is known: the setting states it. */
export type Facts = {
  /** The program had every capability when it started, and may have dropped them since. */
  readonly mayDropCapabilities?: true;
  /** Pages: RLIMIT_MEMLOCK, less what is locked that the input does not show. Taken to be the same for all calls. */
  readonly memlock?: Bounds;
  /** Maps that a legacy container takes: vfio_iommu_type1.dma_entry_limit. */
  readonly dmaEntryLimit?: Bounds;
  /**
   * For each of the two drivers whether devices may be used: their interrupts are isolated, or allow_unsafe_interrupts is
   * set. Undefined where no reply has shown it.
   */
  readonly interrupts?: {
    readonly type1: boolean | undefined;
    readonly iommufd: boolean | undefined;
  };
  /** Groups of which a reply showed that a driver of the kernel's own has a device of it, or that none has. */
  readonly groupsInUse?: ReadonlyMap<number, boolean>;
};
