// SPDX-License-Identifier: MIT
// Writes into what is not a plain file: a pipe, a device, what another process has open. Never waits inside the kernel,
// so that signals are heeded while a reader is slow or not there yet.

import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { codeOf } from './reason.ts';
import type { StreamTarget } from './target.ts';

const { O_WRONLY, O_NONBLOCK, O_NOCTTY, O_NOFOLLOW, O_APPEND } = constants;
/** Milliseconds until a reader is asked for again. */
const PATIENCE = 20;

const openStream = ({ path, isDescriptor }: StreamTarget): number => {
  // The link below /proc has to be followed; a file behind it is not written over.
  const more = isDescriptor ? O_APPEND : O_NOFOLLOW;
  const descriptor = openSync(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | more);
  if (!isDescriptor && fstatSync(descriptor).isFile()) {
    closeSync(descriptor);
    throw new Error('it was replaced while it was written');
  }
  return descriptor;
};

/** ENXIO: a pipe that nobody reads yet. */
const openPatiently = async (target: StreamTarget): Promise<number> => {
  for (;;) {
    try {
      return openStream(target);
    } catch (error) {
      if (codeOf(error) !== 'ENXIO' || !target.isPipe) throw error;
    }
    await delay(PATIENCE);
  }
};

const writeOut = async (descriptor: number, block: Uint8Array): Promise<void> => {
  for (let rest = block; rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
      await setImmediate();
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') throw error;
      await delay(PATIENCE);
    }
  }
};

export const writeStream = async (
  target: StreamTarget,
  blocks: Iterable<Uint8Array>,
): Promise<void> => {
  const descriptor = await openPatiently(target);
  try {
    for (const block of blocks) await writeOut(descriptor, block);
  } finally {
    closeSync(descriptor);
  }
};
