// SPDX-License-Identifier: MIT
// Replies that a recording cannot decide, as it does not show what became of memory since it was mapped.

import { nodesOf, valuesOf } from '../collections/ordered-map.ts';
import { pinningRules } from '../memory/pin.ts';
import { failed, type Outcome, type Reply } from '../outcome/outcome.ts';
import type { World } from '../state/world.ts';
import type { Process } from '../terms/call.ts';
import {
  hasOnlySeen,
  MEMORY_SINCE,
  meetsShared,
  SHARED_WITH_DEVICE,
  SHARED_WITH_FILE,
} from './recorded.ts';

/**
 * A reply that pinned memory which was mapped earlier. In a recording that memory may be gone since, so that a fault
 * cannot be distinguished from a mistake.
 */
export const withMemoryDoubt = (
  reply: Reply,
  before: World,
  pinned: boolean,
): readonly Outcome[] => {
  const { memory } = before;
  if (!pinned || memory.knowledge === 'complete' || reply.errno !== 0) return [reply];
  if (
    memory.isFollowed &&
    ![...nodesOf(memory.spaces)].some(({ key }) => hasOnlySeen(memory, key))
  ) {
    return [reply];
  }
  return [reply, { ...failed(pinningRules.notMapped, before), unknown: MEMORY_SINCE }];
};

const hasDeviceOpen = ({ files }: World): boolean => {
  for (const { kind } of valuesOf(files)) if (kind === 'device' || kind === 'cdev') return true;
  return false;
};

/** A map of memory that a recording shows as shared: where a device is open, that may be its BAR. */
export const withSharedDoubt = (
  reply: Reply,
  before: World,
  process: Process,
  address: bigint,
  length: bigint,
): readonly Outcome[] => {
  if (before.memory.knowledge === 'complete' || reply.errno !== 0) return [reply];
  const mayBeBar = meetsShared(before.memory, process, address, address + length - 1n);
  const { isFollowed } = before.memory;
  const unknown = isFollowed ? SHARED_WITH_FILE : SHARED_WITH_DEVICE;
  return mayBeBar && (isFollowed || hasDeviceOpen(before))
    ? [reply, { ...failed(pinningRules.notMemory, before), unknown }]
    : [reply];
};
