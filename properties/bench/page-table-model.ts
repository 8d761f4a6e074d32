// SPDX-License-Identifier: MIT
// A bounded model of one I/O page table: areas over a few pages, a domain that comes and goes, and an access that
// pins single pages. An unmap unpins; it removes whole areas only.

import type { Law, Model } from '../../model/explorer/model.ts';

/**
 * A state is one number of 31 bits: three bits a page, the first one lowest, and above them whether there is a domain. Of a
 * page they say whether an area that may be read, or read and written, starts there, whether one goes on there, or neither;
 * the fourth and the others of that that it is pinned.
 */
export type Table = number;

const FREE = 0;
const READABLE = 1;
const WRITABLE = 2;
const GOES_ON = 3;
/** Added to the three above. */
const PINNED = 3;

const BITS = 3;
const MASK = 7;

export type MoveKind = 'map' | 'unmap' | 'attach' | 'detach' | 'pin' | 'unpin';

export type Move = {
  readonly kind: MoveKind;
  /** Pages, both inclusive. */
  readonly first: number;
  readonly last: number;
  readonly writable: boolean;
};

const startsArea = (page: number): boolean => page !== FREE && (page - 1) % PINNED !== GOES_ON - 1;
const isPinned = (page: number): boolean => page > PINNED;

const pageOf = (state: Table, page: number): number => (state >>> (BITS * page)) & MASK;

const withPage = (state: Table, page: number, value: number): Table =>
  (state & ~(MASK << (BITS * page))) | (value << (BITS * page));

export const MOST_PAGES = 9;

/** With so many pages, at most `MOST_PAGES`. */
export const pageTable = (pages: number): Model<Table, Move> => {
  if (pages > MOST_PAGES) throw new Error(`At most ${MOST_PAGES} pages fit.`);
  const domain = 1 << (BITS * pages);
  const known = new Map<string, Move>();
  const move = (kind: MoveKind, first: number, last: number, writable = false): Move => {
    const name = `${kind} ${first} ${last} ${writable}`;
    const made = known.get(name) ?? { kind, first, last, writable };
    known.set(name, made);
    return made;
  };
  const all = (kind: MoveKind, writable = false): readonly (readonly Move[])[] =>
    Array.from({ length: pages }, (_, first) =>
      Array.from({ length: pages }, (_unused, last) => move(kind, first, last, writable)),
    );
  const reads = all('map');
  const writes = all('map', true);
  const unmaps = all('unmap');
  const pins = all('pin');
  const unpins = all('unpin');
  const [attach, detach] = [move('attach', 0, 0), move('detach', 0, 0)];
  const at = (moves: readonly (readonly Move[])[], first: number, last: number): Move =>
    (moves[first] as readonly Move[])[last] as Move;

  const addMaps = (moves: Move[], state: Table, first: number): void => {
    for (let last = first; last < pages && pageOf(state, last) === FREE; last += 1) {
      moves.push(at(reads, first, last), at(writes, first, last));
    }
  };
  /** From the start of an area to the end of one. */
  const addUnmaps = (moves: Move[], state: Table, first: number): void => {
    for (let last = first; last < pages; last += 1) {
      const next = last + 1 < pages ? pageOf(state, last + 1) : FREE;
      const ends = pageOf(state, last) !== FREE && (next === FREE || startsArea(next));
      if (ends) moves.push(at(unmaps, first, last));
    }
  };

  return {
    start: () => [0],
    enabled: (state) => {
      const moves: Move[] = [(state & domain) === 0 ? attach : detach];
      for (let page = 0; page < pages; page += 1) {
        const is = pageOf(state, page);
        if (is === FREE) {
          addMaps(moves, state, page);
          continue;
        }
        if (startsArea(is)) addUnmaps(moves, state, page);
        moves.push(at(isPinned(is) ? unpins : pins, page, page));
      }
      return moves;
    },
    step: (state, { kind, first, last, writable }) => {
      switch (kind) {
        case 'attach':
        case 'detach':
          return state ^ domain;
        case 'map': {
          let next = withPage(state, first, writable ? WRITABLE : READABLE);
          for (let page = first + 1; page <= last; page += 1) next = withPage(next, page, GOES_ON);
          return next;
        }
        case 'unmap': {
          let next = state;
          for (let page = first; page <= last; page += 1) next = withPage(next, page, FREE);
          return next;
        }
        case 'pin':
          return withPage(state, first, pageOf(state, first) + PINNED);
        case 'unpin':
          return withPage(state, first, pageOf(state, first) - PINNED);
      }
    },
    canonical: (state) => state,
  };
};

/** What goes on goes on from something. */
export const areasBegin = (pages: number): Law<Table> => ({
  name: 'areas begin',
  contradiction: (state) => {
    let before = FREE;
    for (let page = 0; page < pages; page += 1) {
      const is = pageOf(state, page);
      if (is !== FREE && !startsArea(is) && before === FREE) return `page ${page} begins nowhere`;
      before = is;
    }
    return undefined;
  },
});
