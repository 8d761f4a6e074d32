// SPDX-License-Identifier: MIT
// Everything that the world knows of memory: what each process has mapped, what was stored, and what is
// charged to whom.

import { type OrderedMap, put, valueAt } from '../collections/ordered-map.ts';
import type { Process } from '../terms/call.ts';
import type { Credentials } from '../terms/platform.ts';
import type { AddressSpace, BackingId } from './address-space.ts';

/** Bytes stored into the backing of mappings, latest first. */
export type Stores =
  | {
      readonly backing: BackingId;
      /** Bytes from the start of the backing. */
      readonly offset: bigint;
      readonly bytes: Uint8Array;
      readonly earlier: Stores;
    }
  | undefined;

/** Pages charged to a process: /proc/PID/status shows them as VmLck and VmPin, the former beside what it locked by itself. */
export type Account = { readonly locked: number; readonly pinned: number };

/** 'none': the process may lock without limit. 'user': per user. 'process': VmLck, as type1 does. */
export type ChargeMode = 'none' | 'user' | 'process';

export type Memory = {
  /**
   * 'complete' where every mapping and store is a call of the program; 'recorded' where only the calls on
   * descriptors were written down, so that memory may have changed without a line.
   */
  readonly knowledge: 'complete' | 'recorded';
  /** Of a recording with every mapping that is made, changed and removed. */
  readonly isFollowed: boolean;
  readonly credentials: Credentials;
  readonly spaces: OrderedMap<Process, AddressSpace>;
  readonly nextBacking: BackingId;
  readonly stores: Stores;
  readonly accounts: OrderedMap<Process, Account>;
  /** Pages charged to the user that all processes of a world belong to. */
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

/** Written out, as most steps make such memories: a spread costs many times as much. */
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

/** VmLck, in pages: what is charged to the process, and what it has locked by itself. */
export const lockedOf = (memory: Memory, process: Process): number =>
  accountOf(memory, process).locked + (memory.credentials.lockedBefore ?? 0);
