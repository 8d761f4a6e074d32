// SPDX-License-Identifier: MIT
// Bounded searches of the audit, for the suites that check their results.

import { actionsOn } from '../../../oracle/audit/actions.ts';
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

/** Enough to open a device; the whole search takes minutes. */
const MOVES = 4;

/** Scenarios for which one action more or less shows as many causes as all scenarios together. */
const OTHER_MOVES: ReadonlyMap<Scenario, number> = new Map([
  [VTD, 5],
  [scenarioNamed('two devices behind VT-d'), 3],
  [scenarioNamed('a device behind VT-d, where addresses were taken from maps'), 3],
  [scenarioNamed('a device behind VT-d, where dirty pages are tracked'), 3],
]);

const STATES = 1_000;

/** It has few states, all of them different. */
const WHOLE: ReadonlySet<Scenario> = new Set([scenarioNamed('a no-IOMMU group')]);

/** So many states with the same open handles get every request. */
const FIRST = 3;
const ONE_OF = 3;

/**
 * The first states with the same open handles get every request. More of them rarely show anything
 * new: each gets one third of the requests, in turn.
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

/** Searches a scenario of a release anew, up to a number of actions after the first ones. */
export const searchOn = async (
  release: AuditedRelease,
  scenario: Scenario,
  actions: number,
): Promise<FoundOn> => {
  const differences: Differences = new Map();
  const requests = requestsOn(scenario);
  const searched = await search({
    start: startOn(release, scenario),
    actions: actionsOn(scenario),
    requests: WHOLE.has(scenario) ? requests : thinned(requests),
    bounds: { ...boundsOf(scenario), actions, states: STATES },
    differences,
    watch: async () => true,
  });
  return { searched, all: [...differences.values()].map((one) => ({ ...one, scenario })) };
};

const known = new Map<string, Promise<FoundOn>>();

/** The results for a scenario of a release, searched once for all suites. */
export const foundOn = (release: AuditedRelease, scenario: Scenario): Promise<FoundOn> => {
  const key = `${release} ${scenario.name}`;
  const actions = Math.min(scenario.actions, OTHER_MOVES.get(scenario) ?? MOVES);
  const found = known.get(key) ?? searchOn(release, scenario, actions);
  known.set(key, found);
  return found;
};
