// What a recording tells of memory: the mappings that stood at a range when it was mapped. Pages are known by their
// address then, as nothing tells when a mapping was replaced by another; shared ones are the same in all processes.

import { type Fd, PAGE_SIZE_BYTES, pageIndex, U64_MAX } from '../abi/units.ts';
import type { Process } from '../call.ts';
import { carved, mapped, mappingAt } from './address-space.ts';
import { type Memory, spaceOf, withSpace } from './memory.ts';

export type SeenMapping = {
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

const protectionOf = ({ readable, writable }: SeenMapping) =>
  writable ? 'read-write' : readable ? 'read' : 'none';

/** Memory in which exactly these mappings meet the range from `start` to `last`, both inclusive. */
export const withSeenMappings = (
  memory: Memory,
  process: Process,
  start: bigint,
  last: bigint,
  seen: readonly SeenMapping[],
): Memory => {
  let space = carved(spaceOf(memory, process), start, last);
  for (const mapping of seen) {
    space = mapped(space, mapping.start, {
      last: mapping.last,
      protection: protectionOf(mapping),
      shared: mapping.shared,
      kind: 'memory',
      backing: mapping.shared ? SHARED_BACKING : privateBacking(process),
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

/** Whether the recording shows a shared mapping in the range, both ends inclusive: nothing tells of what. */
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
    if (found.mapping.shared) return true;
    at = found.mapping.last + 1n;
  }
  return false;
};

/** Why a pin of shared memory may fail in a recording of a program that has a device open. */
export const SHARED_WITH_DEVICE =
  "the recording does not say whether a shared mapping is memory or a device's registers";

/** Why a pin that comes after the map may fail in a recording although memory stood there then. */
export const MEMORY_SINCE =
  'the recording does not say whether the memory that was mapped is still there';
