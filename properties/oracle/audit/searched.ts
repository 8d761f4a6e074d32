// SPDX-License-Identifier: MIT
// What bounded searches of the audit find, for the suites that probe it.

import { movesOn } from '../../../oracle/audit/actions.ts';
import type { Differences } from '../../../oracle/audit/differences.ts';
import { boundsOf, type Located, startOn } from '../../../oracle/audit/located.ts';
import { SCENARIOS, type Scenario } from '../../../oracle/audit/platforms.ts';
import { requestsOn } from '../../../oracle/audit/requests/all.ts';
import { type Requests, type Searched, search } from '../../../oracle/audit/search.ts';
import type { AuditedRelease } from '../../../oracle/emit/audited-releases.ts';

export const scenarioNamed = (name: string): Scenario => {
  const scenario = SCENARIOS.find((candidate) => candidate.name === name);
  if (scenario === undefined) throw new Error(`There is no scenario ${name}.`);
  return scenario;
};

export const VTD = scenarioNamed('a device behind VT-d');

/** Enough for a device to be open; the whole search takes minutes. */
const MOVES = 4;

/** Where one more action, or one less, shows as many causes as all scenarios together have with any. */
const OTHER_MOVES: ReadonlyMap<Scenario, number> = new Map([
  [VTD, 5],
  [scenarioNamed('two devices behind VT-d'), 3],
  [scenarioNamed('a device behind VT-d, where addresses were taken from maps'), 3],
  [scenarioNamed('a device behind VT-d, where dirty pages are tracked'), 3],
]);

const STATES = 1_000;

/** Its states are few, and no two of them alike. */
const WHOLE: ReadonlySet<Scenario> = new Set([scenarioNamed('a no-IOMMU group')]);

/** States with the same handles open in which every request is made. */
const FIRST = 3;
const ONE_OF = 3;

/**
 * The first states with the same handles open get every request. What more of them would show, few requests show: each
 * gets a third, and the next one the next third.
 */
const thinned = (requests: Requests): Requests => {
  const met = new Map<string, number>();
  return function* some(open, descriptorOf) {
    const handles = [...open.keys()].sort().join();
    const before = met.get(handles) ?? 0;
    met.set(handles, before + 1);
    let index = before;
    for (const request of requests(open, descriptorOf)) {
      if (before < FIRST || index % ONE_OF === 0) yield request;
      index += 1;
    }
  };
};

export type FoundOn = { readonly searched: Searched; readonly all: readonly Located[] };

/** Searches a scenario of a release anew, to a number of actions behind the first ones. */
export const searchOn = async (
  release: AuditedRelease,
  scenario: Scenario,
  actions: number,
): Promise<FoundOn> => {
  const differences: Differences = new Map();
  const requests = requestsOn(scenario);
  const searched = await search({
    start: startOn(release, scenario),
    actions: movesOn(scenario),
    requests: WHOLE.has(scenario) ? requests : thinned(requests),
    bounds: { ...boundsOf(scenario), actions, states: STATES },
    differences,
    watch: async () => true,
  });
  return { searched, all: [...differences.values()].map((one) => ({ ...one, scenario })) };
};

const known = new Map<string, Promise<FoundOn>>();

/** What is found on a scenario of a release: the same for all who ask. */
export const foundOn = (release: AuditedRelease, scenario: Scenario): Promise<FoundOn> => {
  const key = `${release} ${scenario.name}`;
  const actions = Math.min(scenario.actions, OTHER_MOVES.get(scenario) ?? MOVES);
  const found = known.get(key) ?? searchOn(release, scenario, actions);
  known.set(key, found);
  return found;
};
