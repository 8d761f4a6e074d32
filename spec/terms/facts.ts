// SPDX-License-Identifier: MIT
// Facts about the machine and the program that an input does not state. Each is a set of possible values, which narrows
// as replies exclude some of them. The setting of a world always has one value of each set.

/** atLeast <= value < below. */
export type Bounds = { readonly atLeast: bigint; readonly below: bigint };

/** A fact that is absent is known: the setting states it. */
export type Facts = {
  /** The program had every capability when it started, and may have dropped them since. */
  readonly mayDropCapabilities?: true;
  /** In pages: RLIMIT_MEMLOCK minus the locked memory that the input does not show. Assumed to be constant. */
  readonly memlock?: Bounds;
  /** How many maps a legacy container allows: vfio_iommu_type1.dma_entry_limit. */
  readonly dmaEntryLimit?: Bounds;
  /**
   * Whether each driver accepts devices: their interrupts are isolated, or its allow_unsafe_interrupts is set.
   * Undefined until a reply shows it.
   */
  readonly interrupts?: {
    readonly type1: boolean | undefined;
    readonly iommufd: boolean | undefined;
  };
  /** Whether a kernel driver uses a device of the group, for the groups for which a reply has shown it. */
  readonly groupsInUse?: ReadonlyMap<number, boolean>;
};
