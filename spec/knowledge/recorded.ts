// SPDX-License-Identifier: MIT
// What a recording shows of memory: the mappings of a range when a call maps it. Pages are identified by address,
// because the recording does not show when a mapping is replaced. Shared pages are the same in all processes.

import { type Fd, PAGE_SIZE_BYTES, pageIndex, U64_MAX } from '../abi/units.ts';
import { valuesOf } from '../collections/ordered-map.ts';
import { type AddressSpace, carved, mapped, mappingAt } from '../state/address-space.ts';
import { type Memory, spaceOf, withSpace } from '../state/memory.ts';
import type { Process } from '../terms/call.ts';

export type RecordedMapping = {
  readonly start: bigint;
  /** Inclusive. */
  readonly last: bigint;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly shared: boolean;
};

// Negative, so that they are never the number of a backing that a call made.
const SHARED_BACKING = -1;
const privateBacking = (process: Process): number => -1 - process;

/** The backing of a mapping of which only the addresses are known. */
export const backingByAddress = (process: Process, shared: boolean): number =>
  shared ? SHARED_BACKING : privateBacking(process);

const NUMBERED_FILES_BELOW = -0x2000_0000;

/** The backing of a memory file, by its number in the recording. */
export const fileBacking = (file: number): number => NUMBERED_FILES_BELOW - file;

const isByAddress = (backing: number): boolean => backing < 0 && backing > NUMBERED_FILES_BELOW;

const protectionOf = ({ readable, writable }: RecordedMapping) =>
  writable ? 'read-write' : readable ? 'read' : 'none';

/**
 * Whether the mappings that are known agree with those that a call shows, from `start` to `last`, both inclusive.
 * `shown` is ascending.
 */
const agreesWithShown = (
  known: AddressSpace,
  start: bigint,
  last: bigint,
  shown: readonly RecordedMapping[],
): boolean => {
  let index = 0;
  for (let at = start; at <= last; ) {
    const reported = mappingAt(known, at)?.mapping;
    while ((shown[index]?.last ?? at) < at) index += 1;
    const found = shown[index];
    if (reported === undefined || found === undefined || found.start > at) return false;
    if (reported.protection !== protectionOf(found) || reported.shared !== found.shared)
      return false;
    at = (reported.last < found.last ? reported.last : found.last) + 1n;
  }
  return true;
};

/** The memory with exactly these mappings, ascending, from `start` to `last`, both inclusive. */
export const withShownMappings = (
  memory: Memory,
  process: Process,
  start: bigint,
  last: bigint,
  shown: readonly RecordedMapping[],
): Memory => {
  const known = spaceOf(memory, process);
  if (memory.isFollowed && agreesWithShown(known, start, last, shown)) return memory;
  let space = carved(known, start, last);
  for (const mapping of shown) {
    space = mapped(space, mapping.start, {
      last: mapping.last,
      protection: protectionOf(mapping),
      shared: mapping.shared,
      kind: 'memory',
      backing: backingByAddress(process, mapping.shared),
      page: pageIndex(Number(mapping.start / PAGE_SIZE_BYTES)),
    });
  }
  return withSpace(memory, process, space);
};

const FILE_BACKINGS_BELOW = -0x4000_0000;

/** A file of which a recording shows only the descriptor. It is assumed to be long enough for every map. */
export const recordedFile = (fd: Fd): { readonly backing: number; readonly length: bigint } => ({
  backing: FILE_BACKINGS_BELOW - fd,
  length: U64_MAX,
});

/** Whether the process has a mapping of which only the addresses are known. */
export const hasMappingByAddress = (memory: Memory, process: Process): boolean => {
  for (const { backing } of valuesOf(spaceOf(memory, process))) {
    if (isByAddress(backing)) return true;
  }
  return false;
};

/** Whether the range, both ends inclusive, has a shared mapping whose backing is not known. */
export const overlapsShared = (
  memory: Memory,
  process: Process,
  start: bigint,
  last: bigint,
): boolean => {
  const space = spaceOf(memory, process);
  for (let at = start; at <= last; ) {
    const found = mappingAt(space, at);
    if (found === undefined) return false;
    const { shared, backing } = found.mapping;
    if (shared && (!memory.isFollowed || isByAddress(backing))) return true;
    at = found.mapping.last + 1n;
  }
  return false;
};

/** Why pinning shared memory may fail in a recording, if the program has a device open. */
export const SHARED_WITH_DEVICE =
  "the recording does not say whether a shared mapping is memory or a device's BAR";

/** The same for a mapping of a file that is not a memory file. */
export const SHARED_WITH_FILE =
  'the recording does not say whether the pages of a mapped file can be pinned';

/** Why pinning may fail in a recording, although memory was mapped there at the time of the map. */
export const MEMORY_SINCE =
  'the recording does not say whether the memory that was mapped is still there';
