// SPDX-License-Identifier: MIT
// The memory with which a syzkaller program begins, made of the arena's: every page can be read and written, and then come
// the program's own first changes.

import { REGIONS } from '../../model/programs/arena.ts';
import type { Operation } from '../../model/programs/program.ts';
import type { Protection } from '../../spec/terms/call.ts';
import type { Pages } from './relocation.ts';

const PAGE = 4096n;

/** What is mapped at a page: "hole", or the protection and whether it is shared. */
type State = 'hole' | { readonly protection: Protection; readonly shared: boolean };

type MemoryChange = Extract<Operation, { op: 'mmap' | 'munmap' }>;

const isSame = (one: State | undefined, other: State | undefined): boolean =>
  one === other ||
  (typeof one === 'object' &&
    typeof other === 'object' &&
    one.protection === other.protection &&
    one.shared === other.shared);

/** At the start of every program. */
export const stateInArena = (page: bigint): State => {
  const region = REGIONS.find(({ offset, length }) => page >= offset && page < offset + length);
  return region === undefined ? 'hole' : { protection: region.protection, shared: region.shared };
};

/** At the start of every syzkaller program. */
export const STATE_IN_AREA: State = { protection: 'read-write', shared: false };

/** Whether the change can be a part of the memory with which a program begins. */
export const isFirstChange = (operation: Operation): operation is MemoryChange =>
  operation.op === 'munmap' || (operation.op === 'mmap' && operation.backing.kind === 'anonymous');

/** Runs of pages in ascending order with what is to be there, where that is not there already. */
export const changedRuns = (
  used: readonly Pages[],
  wantedAt: (page: bigint) => State,
  isAt: (page: bigint) => State,
): readonly (Pages & { readonly state: State })[] => {
  const runs: (Pages & { readonly state: State })[] = [];
  for (const { start, end } of used) {
    for (let page = start; page < end; page += PAGE) {
      const state = wantedAt(page);
      if (isSame(state, isAt(page))) continue;
      const before = runs.at(-1);
      if (before?.end === page && isSame(before.state, state)) {
        runs[runs.length - 1] = { ...before, end: page + PAGE };
      } else {
        runs.push({ start: page, end: page + PAGE, state });
      }
    }
  }
  return runs;
};

/** The operations after which the used pages are as they are after the first changes. */
export const firstMemory = (
  used: readonly Pages[],
  changes: readonly MemoryChange[],
): readonly Operation[] => {
  const states = new Map<bigint, State>();
  for (const change of changes) {
    const state: State =
      change.op === 'munmap' ? 'hole' : { protection: change.protection, shared: change.shared };
    for (let page = change.offset; page < change.offset + change.length; page += PAGE) {
      states.set(page, state);
    }
  }
  const runs = changedRuns(used, (page) => states.get(page) ?? STATE_IN_AREA, stateInArena);
  return runs.map(({ start, end, state }, index): Operation => {
    const label = `memory${index + 1}`;
    const range = { offset: start, length: end - start };
    return state === 'hole'
      ? { op: 'munmap', label, ...range }
      : { op: 'mmap', label, ...range, ...state, backing: { kind: 'anonymous' } };
  });
};
