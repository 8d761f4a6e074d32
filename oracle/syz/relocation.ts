// SPDX-License-Identifier: MIT
// Where the memory of a syzkaller program lies in the arena of a program. What is within the arena's length stays at its
// offset; the rest is moved, and what belongs together stays together.

import { ARENA_LENGTH, NO_ACCESS_LENGTH, NO_ACCESS_OFFSET } from '../../model/programs/arena.ts';
import { AREA_LENGTH, OPEN_OFFSET } from './data-area.ts';
import { NotCarriedOver } from './not-carried-over.ts';
import type { Span } from './spans.ts';

const PAGE = 4096n;

/** From `start` to before `end`, both at page bounds. */
export type Pages = { readonly start: bigint; readonly end: bigint };

type Moved = Pages & { readonly to: bigint };

/** Behind the arena's last region. */
const FIRST_MOVED = NO_ACCESS_OFFSET + NO_ACCESS_LENGTH + PAGE;

const down = (offset: bigint): bigint => offset - (offset % PAGE);

/** The pages of a span; of one that ends beyond the area no more than the first, as nobody gets to its end. */
const pagesOf = ({ offset, length }: Span, areaEnd: bigint): Pages | undefined => {
  if (length <= 0n || offset < 0n) return undefined;
  const isOpen = offset >= OPEN_OFFSET;
  if (!isOpen && offset >= areaEnd) return undefined;
  const end = offset + length;
  const fits = isOpen ? length <= AREA_LENGTH : end <= areaEnd;
  const start = down(offset);
  return { start, end: fits ? down(end - 1n) + PAGE : start + PAGE };
};

/** In ascending order; those that meet are made one. */
const joined = (all: readonly Pages[]): readonly Pages[] => {
  const sorted = [...all].sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  const result: Pages[] = [];
  for (const pages of sorted) {
    const before = result.at(-1);
    if (before === undefined || pages.start > before.end) result.push(pages);
    else if (pages.end > before.end) result[result.length - 1] = { ...before, end: pages.end };
  }
  return result;
};

/** Addresses keep what they are a multiple of, where that is possible: it decides where a kernel searches for room. */
const ALIGNMENTS = [0x20_0000n, 0x1_0000n, PAGE] as const;

/** The pages of the arena that are taken, and those next to them, which stay holes. */
class TakenPages {
  readonly #taken = new Uint8Array(Number(ARENA_LENGTH / PAGE) + 2);

  /** Offsets into the arena. */
  take({ start, end }: Pages): void {
    this.#taken.fill(1, Number(start / PAGE), Number(end / PAGE) + 2);
  }

  /** A place with a hole before and behind it. Throws NotCarriedOver. */
  freePlace({ start, end }: Pages): bigint {
    const length = end - start;
    for (const alignment of ALIGNMENTS) {
      let to = FIRST_MOVED + ((((start - FIRST_MOVED) % alignment) + alignment) % alignment);
      for (; to + length <= ARENA_LENGTH; to += alignment) {
        if (this.#isFree(to, length)) return to;
      }
    }
    throw new NotCarriedOver(
      `the program uses more memory than the ${ARENA_LENGTH / PAGE} pages that a program here has`,
    );
  }

  #isFree(to: bigint, length: bigint): boolean {
    const first = Number(to / PAGE) + 1;
    return !this.#taken.subarray(first, first + Number(length / PAGE)).includes(1);
  }
}

export class Relocation {
  /** The used pages, as offsets into the arena, in ascending order. */
  readonly used: readonly Pages[];
  readonly #moved: readonly Moved[];

  /** `areaEnd` is where the area ends: a program may unmap its last pages first. Throws NotCarriedOver. */
  constructor(spans: readonly Span[], areaEnd = AREA_LENGTH) {
    const clusters = joined(spans.flatMap((span) => pagesOf(span, areaEnd) ?? []));
    const taken = new TakenPages();
    const stays = clusters.filter(({ end }) => end <= ARENA_LENGTH);
    for (const pages of stays) taken.take(pages);
    const moved: Moved[] = stays.map((pages) => ({ ...pages, to: pages.start }));
    for (const pages of clusters) {
      if (pages.end <= ARENA_LENGTH) continue;
      const to = taken.freePlace(pages);
      taken.take({ start: to, end: to + pages.end - pages.start });
      moved.push({ ...pages, to });
    }
    this.#moved = moved;
    this.used = joined(moved.map(({ start, end, to }) => ({ start: to, end: to + end - start })));
  }

  /** The arena offset of an address. What is in no used page stays where it is: there are holes. */
  offsetOf(offset: bigint): bigint {
    const found = this.#moved.find(({ start, end }) => start <= offset && offset < end);
    return found === undefined ? offset : found.to + (offset - found.start);
  }

  /** The parts of a range that are used, as offsets into the arena. */
  partsOf({ offset, length }: Span): readonly Span[] {
    return this.#moved.flatMap(({ start, end, to }) => {
      const from = offset > start ? offset : start;
      const until = offset + length < end ? offset + length : end;
      return from < until ? [{ offset: to + (from - start), length: until - from }] : [];
    });
  }
}
