// SPDX-License-Identifier: MIT
// The options of the runner: the only argument of its command line, as JSON.

import type { DeviceMemory } from './machine.ts';

export type RunnerOptions = {
  /** A file that can be read and written, or the descriptor of a socket. */
  readonly channel: string | number;
  /** A file whose first page is shared memory, readable after the runner has died. */
  readonly progress: string;
  readonly deviceMemory?: DeviceMemory;
  readonly paths?: readonly string[];
  readonly logEveryCall?: boolean;
  /** Give up every capability, as user and group `id`, with this RLIMIT_MEMLOCK in bytes. */
  readonly unprivileged?: { readonly id: number; readonly memlockLimit: string };
  /** Pages to lock (mlock) before that. */
  readonly lockedBefore?: number;
};

/** Words of the progress page: how many batches, which program of the batch, which operation of the program. */
export const PROGRESS_WORDS = 3;
