// SPDX-License-Identifier: MIT
// The memory of the world: the mappings of each process, the bytes that were stored, and the charges.

import { type OrderedMap, put, valueAt } from '../collections/ordered-map.ts';
import type { Process } from '../terms/call.ts';
import type { Credentials } from '../terms/platform.ts';
import type { AddressSpace, BackingId } from './address-space.ts';

/** Stores into backings, latest first. */
export type Stores =
  | {
      readonly backing: BackingId;
      /** Bytes from the start of the backing. */
      readonly offset: bigint;
      readonly bytes: Uint8Array;
      readonly earlier: Stores;
    }
  | undefined;

/**
 * Pages charged to a process. VmPin is `pinned`; VmLck is `locked` plus the pages that the process has locked itself.
 */
export type Account = { readonly locked: number; readonly pinned: number };

/**
 * What pinned pages are charged to: 'none' for a process without a limit, 'user' the user, 'process' VmLck of the
 * process, as in type1.
 */
export type ChargeMode = 'none' | 'user' | 'process';

export type Memory = {
  /**
   * 'complete' if every mapping and store is a call of the program; 'recorded' if only calls on descriptors were
   * recorded, so that memory may have changed between them.
   */
  readonly knowledge: 'complete' | 'recorded';
  /** The recording shows every change of the mappings. */
  readonly isFollowed: boolean;
  readonly credentials: Credentials;
  readonly spaces: OrderedMap<Process, AddressSpace>;
  readonly nextBacking: BackingId;
  readonly stores: Stores;
  readonly accounts: OrderedMap<Process, Account>;
  /** Pages charged to the user, who is the same for all processes of a world. */
  readonly userLocked: number;
};

export const emptyMemory = (knowledge: Memory['knowledge'], credentials: Credentials): Memory => ({
  knowledge,
  isFollowed: false,
  credentials,
  spaces: undefined,
  nextBacking: 1,
  stores: undefined,
  accounts: undefined,
  userLocked: 0,
});

export const spaceOf = (memory: Memory, process: Process): AddressSpace =>
  valueAt(memory.spaces, process);

/** Written out because most steps call it: a spread costs many times as much. */
const memoryWith = (
  memory: Memory,
  spaces: Memory['spaces'],
  stores: Stores,
  accounts: Memory['accounts'],
  userLocked: number,
): Memory => ({
  knowledge: memory.knowledge,
  isFollowed: memory.isFollowed,
  credentials: memory.credentials,
  spaces,
  nextBacking: memory.nextBacking,
  stores,
  accounts,
  userLocked,
});

export const withSpace = (memory: Memory, process: Process, space: AddressSpace): Memory =>
  memoryWith(
    memory,
    put(memory.spaces, process, space),
    memory.stores,
    memory.accounts,
    memory.userLocked,
  );

export const withStored = (memory: Memory, stores: Stores): Memory =>
  memoryWith(memory, memory.spaces, stores, memory.accounts, memory.userLocked);

export const withAccount = (
  memory: Memory,
  process: Process,
  account: Account,
  userLocked: number,
): Memory =>
  memoryWith(
    memory,
    memory.spaces,
    memory.stores,
    put(memory.accounts, process, account),
    userLocked,
  );

const NOTHING_CHARGED: Account = { locked: 0, pinned: 0 };

export const accountOf = (memory: Memory, process: Process): Account =>
  valueAt(memory.accounts, process) ?? NOTHING_CHARGED;

/** VmLck in pages: those charged to the process, and those that it has locked itself. */
export const lockedOf = (memory: Memory, process: Process): number =>
  accountOf(memory, process).locked + (memory.credentials.lockedBefore ?? 0);
