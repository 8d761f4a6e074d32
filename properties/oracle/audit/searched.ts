// What bounded searches of the audit find, for the suites that look at it.

import type { Differences } from '../../../oracle/audit/differences.ts';
import { boundsOf, type Located, startOn } from '../../../oracle/audit/located.ts';
import { GROUNDS, type Ground } from '../../../oracle/audit/platforms.ts';
import { requestsOn } from '../../../oracle/audit/requests/all.ts';
import { type Requests, type Searched, search } from '../../../oracle/audit/search.ts';
import { movesOn } from '../../../oracle/audit/structure.ts';
import type { ReleaseName } from '../../../spec/terms/releases.ts';

export const groundNamed = (name: string): Ground => {
  const ground = GROUNDS.find((candidate) => candidate.name === name);
  if (ground === undefined) throw new Error(`There is no ground ${name}.`);
  return ground;
};

export const VTD = groundNamed('a device behind VT-d');

/** Enough for a device to be open; the whole search takes minutes. */
const MOVES = 4;

/** Where one more move, or one less, shows as many causes as all grounds together have with any. */
const OTHER_MOVES: ReadonlyMap<Ground, number> = new Map([
  [VTD, 5],
  [groundNamed('two devices behind VT-d'), 3],
  [groundNamed('a device behind VT-d, where addresses were taken from maps'), 3],
  [groundNamed('a device behind VT-d, where dirty pages are tracked'), 3],
]);

const STATES = 1_000;

/** Its states are few, and no two of them alike. */
const WHOLE: ReadonlySet<Ground> = new Set([groundNamed('a no-IOMMU group')]);

/** States with the same things open in which every request is made. */
const FIRST = 3;
const ONE_OF = 3;

/**
 * The first states with the same things open get every request. What more of them would show, few requests show: each
 * gets a third, and the next one the next third.
 */
const thinned = (requests: Requests): Requests => {
  const met = new Map<string, number>();
  return function* some(open, descriptorOf) {
    const things = [...open.keys()].sort().join();
    const before = met.get(things) ?? 0;
    met.set(things, before + 1);
    let index = before;
    for (const request of requests(open, descriptorOf)) {
      if (before < FIRST || index % ONE_OF === 0) yield request;
      index += 1;
    }
  };
};

export type FoundOn = { readonly searched: Searched; readonly all: readonly Located[] };

/** Searches a ground of a release anew, to a number of moves behind the first ones. */
export const searchOn = async (
  release: ReleaseName,
  ground: Ground,
  moves: number,
): Promise<FoundOn> => {
  const differences: Differences = new Map();
  const requests = requestsOn(ground);
  const searched = await search(
    startOn(release, ground),
    movesOn(ground),
    WHOLE.has(ground) ? requests : thinned(requests),
    { ...boundsOf(ground), moves, states: STATES },
    differences,
    async () => true,
  );
  return { searched, all: [...differences.values()].map((one) => ({ ...one, ground })) };
};

const known = new Map<string, Promise<FoundOn>>();

/** What is found on a ground of a release: the same for all who ask. */
export const foundOn = (release: ReleaseName, ground: Ground): Promise<FoundOn> => {
  const key = `${release} ${ground.name}`;
  const moves = Math.min(ground.moves, OTHER_MOVES.get(ground) ?? MOVES);
  const found = known.get(key) ?? searchOn(release, ground, moves);
  known.set(key, found);
  return found;
};
