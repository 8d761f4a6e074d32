// SPDX-License-Identifier: MIT
// Replies that a recording cannot decide, because it does not show what happened to memory after it was mapped.

import { nodesOf, valuesOf } from '../collections/ordered-map.ts';
import { pinningRules } from '../memory/pin.ts';
import { failed, type Outcome, type Reply } from '../outcome/outcome.ts';
import type { World } from '../state/world.ts';
import type { Process } from '../terms/call.ts';
import {
  hasMappingByAddress,
  MEMORY_SINCE,
  overlapsShared,
  SHARED_WITH_DEVICE,
  SHARED_WITH_FILE,
} from './recorded.ts';

/**
 * The outcomes of a call that pins memory of earlier maps. In a recording, that memory may be gone, and then the call
 * fails with EFAULT.
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
    ![...nodesOf(memory.spaces)].some(({ key }) => hasMappingByAddress(memory, key))
  ) {
    return [reply];
  }
  return [reply, { ...failed(pinningRules.notMapped, before), unknown: MEMORY_SINCE }];
};

const hasDeviceOpen = ({ files }: World): boolean => {
  for (const { kind } of valuesOf(files)) if (kind === 'device' || kind === 'cdev') return true;
  return false;
};

/**
 * The outcomes of a map of memory that a recording shows as shared. If a device is open, it may be the device's BAR.
 */
export const withSharedDoubt = (
  reply: Reply,
  before: World,
  process: Process,
  address: bigint,
  length: bigint,
): readonly Outcome[] => {
  if (before.memory.knowledge === 'complete' || reply.errno !== 0) return [reply];
  const mayBeBar = overlapsShared(before.memory, process, address, address + length - 1n);
  const { isFollowed } = before.memory;
  const unknown = isFollowed ? SHARED_WITH_FILE : SHARED_WITH_DEVICE;
  return mayBeBar && (isFollowed || hasDeviceOpen(before))
    ? [reply, { ...failed(pinningRules.notMemory, before), unknown }]
    : [reply];
};
