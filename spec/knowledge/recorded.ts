// SPDX-License-Identifier: MIT
// What a recording shows of memory: the mappings of a range when it was mapped. Pages are known by their
// address then, as a recording does not show when a mapping was replaced by another; shared ones are the same in all processes.

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

// Negative, so that they are never the number of something that a call made.
const SHARED_BACKING = -1;
const privateBacking = (process: Process): number => -1 - process;

/** What is behind a mapping of which only that it is there is known: its pages are known by their address. */
export const seenBacking = (process: Process, shared: boolean): number =>
  shared ? SHARED_BACKING : privateBacking(process);

const NUMBERED_FILES_BELOW = -0x2000_0000;

/** A file of memory by its number in the recording. */
export const fileBacking = (file: number): number => NUMBERED_FILES_BELOW - file;

const isOnlySeen = (backing: number): boolean => backing < 0 && backing > NUMBERED_FILES_BELOW;

const protectionOf = ({ readable, writable }: RecordedMapping) =>
  writable ? 'read-write' : readable ? 'read' : 'none';

/**
 * Whether the mappings that the events gave are those that the call shows, between the two, both inclusive. `seen` is in
 * ascending order.
 */
const isAsSeen = (
  known: AddressSpace,
  start: bigint,
  last: bigint,
  seen: readonly RecordedMapping[],
): boolean => {
  let index = 0;
  for (let at = start; at <= last; ) {
    const reported = mappingAt(known, at)?.mapping;
    while ((seen[index]?.last ?? at) < at) index += 1;
    const found = seen[index];
    if (reported === undefined || found === undefined || found.start > at) return false;
    if (reported.protection !== protectionOf(found) || reported.shared !== found.shared)
      return false;
    at = (reported.last < found.last ? reported.last : found.last) + 1n;
  }
  return true;
};

/** Memory in which exactly these mappings, in ascending order, meet the range from `start` to `last`, both inclusive. */
export const withSeenMappings = (
  memory: Memory,
  process: Process,
  start: bigint,
  last: bigint,
  seen: readonly RecordedMapping[],
): Memory => {
  const known = spaceOf(memory, process);
  if (memory.isFollowed && isAsSeen(known, start, last, seen)) return memory;
  let space = carved(known, start, last);
  for (const mapping of seen) {
    space = mapped(space, mapping.start, {
      last: mapping.last,
      protection: protectionOf(mapping),
      shared: mapping.shared,
      kind: 'memory',
      backing: seenBacking(process, mapping.shared),
      page: pageIndex(Number(mapping.start / PAGE_SIZE_BYTES)),
    });
  }
  return withSpace(memory, process, space);
};

const FILE_BACKINGS_BELOW = -0x4000_0000;

/** A file that a recording names only by its descriptor: taken to be long enough for whatever is mapped of it. */
export const recordedFile = (fd: Fd): { readonly backing: number; readonly length: bigint } => ({
  backing: FILE_BACKINGS_BELOW - fd,
  length: U64_MAX,
});

/** Whether some mapping of the process is there of which the recording shows no more than that. */
export const hasOnlySeen = (memory: Memory, process: Process): boolean => {
  for (const { backing } of valuesOf(spaceOf(memory, process))) {
    if (isOnlySeen(backing)) return true;
  }
  return false;
};

/** Whether a shared mapping is in the range, both ends inclusive, of which the backing is not known. */
export const meetsShared = (
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
    if (shared && (!memory.isFollowed || isOnlySeen(backing))) return true;
    at = found.mapping.last + 1n;
  }
  return false;
};

/** Why a pin of shared memory may fail in a recording of a program that has a device open. */
export const SHARED_WITH_DEVICE =
  "the recording does not say whether a shared mapping is memory or a device's BAR";

/** The same of a mapping whose file is none of memory. */
export const SHARED_WITH_FILE =
  'the recording does not say whether the pages of a mapped file can be pinned';

/** Why a pin that comes after the map may fail in a recording although memory was mapped there then. */
export const MEMORY_SINCE =
  'the recording does not say whether the memory that was mapped is still there';
