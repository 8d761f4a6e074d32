// SPDX-License-Identifier: MIT
// Whether the memory of a call in a trace is what is there when its operation is made: where memory cannot be read,
// the end is missing, and nowhere else.

import { sameBytes } from '../../spec/abi/bytes.ts';
import { bytesAt } from '../../spec/memory/contents.ts';
import { accessible } from '../../spec/memory/user-access.ts';
import { mappingAt } from '../../spec/state/address-space.ts';
import { spaceOf } from '../../spec/state/memory.ts';
import type { World } from '../../spec/state/world.ts';
import { withStores } from '../../spec/step.ts';
import { type Call, memoryRead, type Segment } from '../../spec/terms/call.ts';

/** Whether the program's own bytes are in the span as it puts them there: not those of a device. */
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

/** What is wrong with the memory of the call `shown`, which an operation makes as `made`; undefined where nothing is. */
export const memoryProblem = (world: World, made: Call, shown: Call): string | undefined => {
  const put = memoryRead(made);
  const there = memoryRead(shown);
  // Where a transfer is looked for nothing is put.
  const stored = made.kind === 'ioctl' ? withStores(world, made.process, put) : world;
  const isRight = put.every((segment, index) => {
    const seen = there[index];
    return seen !== undefined && isThere(stored, made.process, segment, seen);
  });
  return isRight ? undefined : '"call.memory" is not what is there when the operation is made';
};
