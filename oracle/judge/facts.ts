// SPDX-License-Identifier: MIT
// The facts that a recording states, and sets of possible values for the others.

import { PAGE_SIZE_BYTES, U64_MAX } from '../../spec/abi/units.ts';
import type { Facts } from '../../spec/terms/facts.ts';
import type { Platform, Setting } from '../../spec/terms/platform.ts';
import { DMA_ENTRY_LIMIT } from '../../spec/terms/platforms.ts';
import type { RecordingHeader, StatedFacts } from '../trace/recording.ts';

/** For RLIMIT_MEMLOCK. */
export const ANY_PAGES = { atLeast: 0n, below: U64_MAX / PAGE_SIZE_BYTES + 1n };
/** It is an unsigned int. */
export const ANY_ENTRIES = { atLeast: 0n, below: 1n << 32n };
const ANY_INTERRUPTS = { type1: undefined, iommufd: undefined };

const platformWith = (
  { unsafeInterrupts: _, groupsInUse: __, ...platform }: Platform,
  { dmaEntryLimit = DMA_ENTRY_LIMIT, interrupts, groupsInUse = [] }: StatedFacts,
): Platform => ({
  ...platform,
  dmaEntryLimit,
  ...(interrupts === undefined || (interrupts.type1 && interrupts.iommufd)
    ? {}
    : { unsafeInterrupts: interrupts }),
  ...(groupsInUse.length === 0 ? {} : { groupsInUse }),
});

/** The setting with the usual value of each unstated fact, or the value that refuses nothing. */
export const settingStating = (
  { release, platform, credentials: { privileged } }: Setting,
  stated: StatedFacts,
): Setting => {
  const { keepsCapabilities, memlock, dmaEntryLimit, interrupts, groupsInUse } = stated;
  const facts: Facts = {
    ...(privileged && keepsCapabilities === undefined
      ? { mayDropCapabilities: true as const }
      : {}),
    // A privileged program has no limit.
    ...(privileged || memlock !== undefined ? {} : { memlock: ANY_PAGES }),
    ...(dmaEntryLimit === undefined ? { dmaEntryLimit: ANY_ENTRIES } : {}),
    ...(interrupts === undefined ? { interrupts: ANY_INTERRUPTS } : {}),
    ...(groupsInUse === undefined ? { groupsInUse: new Map<number, boolean>() } : {}),
  };
  return {
    release: stated.release ?? release,
    platform: platformWith(platform, stated),
    credentials: {
      privileged,
      memlockLimit: memlock === undefined ? U64_MAX : BigInt(memlock) * PAGE_SIZE_BYTES,
    },
    facts,
  };
};

/** The header's facts have priority over options. */
export const settingOfRecording = (
  { release, platform, privileged, stated }: RecordingHeader,
  byOptions: StatedFacts,
): Setting =>
  settingStating(
    { release, platform, credentials: { privileged, memlockLimit: U64_MAX } },
    { ...byOptions, ...stated },
  );
