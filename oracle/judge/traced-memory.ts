// SPDX-License-Identifier: MIT
// Checks a call's memory in a trace against the world: only the end of a span may be missing, where memory cannot
// be read.

import { sameBytes } from '../../spec/abi/bytes.ts';
import { bytesAt } from '../../spec/memory/contents.ts';
import { accessible } from '../../spec/memory/user-access.ts';
import { mappingAt } from '../../spec/state/address-space.ts';
import { spaceOf } from '../../spec/state/memory.ts';
import type { World } from '../../spec/state/world.ts';
import { withStores } from '../../spec/step.ts';
import { type Call, memoryRead, type Segment } from '../../spec/terms/call.ts';

/** Whether the span has the bytes that the program stores; a device's memory may differ. */
const isOwn = ({ memory }: World, process: number, { address, bytes }: Segment): boolean => {
  const end = address + BigInt(bytes.length);
  for (let at: bigint = address; at < end; ) {
    const found = mappingAt(spaceOf(memory, process), at)?.mapping;
    if (found?.kind !== 'memory' || found.protection !== 'read-write') return false;
    at = found.last + 1n;
  }
  return true;
};

const isThere = (world: World, process: number, made: Segment, shown: Segment): boolean => {
  const { address, bytes } = made;
  const readable = accessible(world.memory, process, address, bytes.length, false);
  if (shown.bytes.length !== readable) return false;
  return (
    !isOwn(world, process, shown) ||
    sameBytes(bytesAt(world.memory, process, address, readable), shown.bytes)
  );
};

/**
 * The problem of the memory of the traced call `shown`, whose operation makes the call `made`; undefined if there is
 * none.
 */
export const memoryProblem = (world: World, made: Call, shown: Call): string | undefined => {
  const put = memoryRead(made);
  const there = memoryRead(shown);
  // Nothing is stored into the memory of a transfer.
  const stored = made.kind === 'ioctl' ? withStores(world, made.process, put) : world;
  const isRight = put.every((segment, index) => {
    const seen = there[index];
    return seen !== undefined && isThere(stored, made.process, segment, seen);
  });
  return isRight ? undefined : '"call.memory" does not match the memory when the operation runs';
};
