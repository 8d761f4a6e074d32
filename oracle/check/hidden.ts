// SPDX-License-Identifier: MIT
// Compares hidden state: translations of domains, alignment of tables, pins, charges.

import type { DomainState, HiddenState } from '../../model/machine/machine.ts';
import type { ObjectId } from '../../spec/abi/units.ts';
import { nodesOf, valuesOf } from '../../spec/collections/ordered-map.ts';
import { translations } from '../../spec/hardware/translate.ts';
import { translations as containerTranslations } from '../../spec/hardware/translate-type1.ts';
import { pinnedIn } from '../../spec/selftest/md-check-refs.ts';
import type { BackingId } from '../../spec/state/address-space.ts';
import type { Context } from '../../spec/state/context.ts';
import { accountOf } from '../../spec/state/memory.ts';
import type { World } from '../../spec/state/world.ts';
import { differing, Pairing } from './translation-differences.ts';

export type HiddenDifference = {
  /** "domain 4 of descriptor 3", "pins", "locked memory". */
  readonly where: string;
  readonly expected: string;
  readonly observed: string;
  /** For a domain: the first IOVA, in bytes, at which it differs. */
  readonly at?: { readonly fd: number; readonly hwpt: number; readonly iova: bigint };
};

const PROCESS = 1;

const compareDomain = (
  fd: number,
  context: Context,
  hwpt: ObjectId,
  observed: DomainState | undefined,
  pairing: Pairing,
): HiddenDifference | undefined => {
  const where = `the domain of hwpt ${hwpt} of descriptor ${fd}`;
  const seen = observed?.translations ?? [];
  const found = differing(translations(context, hwpt), seen, pairing);
  if (found === undefined) return undefined;
  const { expected, observed: instead, iova } = found;
  return { where, expected, observed: instead, at: { fd, hwpt, iova } };
};

const lowestDescriptor = (world: World, file: number): number => {
  for (const { descriptors } of valuesOf(world.processes)) {
    for (const { key, value } of nodesOf(descriptors)) if (value === file) return key;
  }
  return -1;
};

const compareDomains = (
  world: World,
  observed: HiddenState,
  pairing: Pairing,
): readonly HiddenDifference[] => {
  const differences: HiddenDifference[] = [];
  const seen = new Map(observed.domains.map((domain) => [`${domain.fd}:${domain.hwpt}`, domain]));
  for (const { key, value } of nodesOf(world.files)) {
    if (value.kind !== 'iommufd') continue;
    const fd = lowestDescriptor(world, key);
    if (fd < 0) continue;
    for (const { key: id, value: object } of nodesOf(value.context.objects)) {
      if (object.kind !== 'hwpt') continue;
      const name = `${fd}:${id}`;
      const difference = compareDomain(fd, value.context, id, seen.get(name), pairing);
      if (difference !== undefined) differences.push(difference);
      seen.delete(name);
    }
  }
  for (const { fd, hwpt } of seen.values()) {
    if (fd < 0) continue;
    differences.push({
      where: `the domain of hwpt ${hwpt} of descriptor ${fd}`,
      expected: 'no such domain',
      observed: 'it exists',
    });
  }
  return differences;
};

/** The alignment that each table requires, which decides later replies. */
const compareTables = (world: World, { tables }: HiddenState): readonly HiddenDifference[] => {
  const differences: HiddenDifference[] = [];
  const seen = new Map(tables.map(({ fd, ioas, alignment }) => [`${fd}:${ioas}`, alignment]));
  for (const { key, value } of nodesOf(world.files)) {
    if (value.kind !== 'iommufd') continue;
    const fd = lowestDescriptor(world, key);
    if (fd < 0) continue;
    for (const { key: id, value: object } of nodesOf(value.context.objects)) {
      if (object.kind !== 'ioas') continue;
      const alignment = seen.get(`${fd}:${id}`);
      seen.delete(`${fd}:${id}`);
      if (alignment === object.table.alignment) continue;
      differences.push({
        where: `IOAS ${id} of descriptor ${fd}`,
        expected: `alignment ${object.table.alignment}`,
        observed: alignment === undefined ? 'no such IOAS' : `alignment ${alignment}`,
      });
    }
  }
  for (const { fd, ioas } of tables) {
    if (fd < 0 || !seen.has(`${fd}:${ioas}`)) continue;
    const where = `IOAS ${ioas} of descriptor ${fd}`;
    differences.push({ where, expected: 'no such IOAS', observed: 'it exists' });
  }
  return differences;
};

const namesOf = (groups: readonly number[]): string =>
  `group ${[...groups].sort((a, b) => a - b).join(' and ')}`;

/** The domains of legacy containers, identified by their groups. */
const compareContainerDomains = (
  world: World,
  observed: HiddenState,
  pairing: Pairing,
): readonly HiddenDifference[] => {
  const differences: HiddenDifference[] = [];
  const seen = new Map(observed.containerDomains.map((domain) => [namesOf(domain.groups), domain]));
  for (const file of valuesOf(world.files)) {
    if (file.kind !== 'container') continue;
    for (const { groups } of file.container.type1?.domains ?? []) {
      const where = `the domain of ${namesOf(groups)} under a legacy container`;
      const domain = seen.get(namesOf(groups));
      seen.delete(namesOf(groups));
      const [group] = groups;
      if (domain === undefined || group === undefined) {
        differences.push({ where, expected: 'it exists', observed: 'no such domain' });
        continue;
      }
      const must = containerTranslations(file.container, group);
      const found = differing(must, domain.translations, pairing);
      if (found !== undefined) {
        differences.push({ where, expected: found.expected, observed: found.observed });
      }
    }
  }
  for (const name of seen.keys()) {
    const where = `the domain of ${name} under a legacy container`;
    differences.push({ where, expected: 'no such domain', observed: 'it exists' });
  }
  return differences;
};

/** The specification's pin counts, by page. */
function* expectedPins(world: World): Generator<number> {
  const pins = new Map<BackingId, Map<number, number>>();
  for (const { backing, page: first, count } of pinnedIn(world)) {
    const pages = pins.get(backing) ?? new Map<number, number>();
    pins.set(backing, pages);
    for (let page = first; page < first + count; page += 1) {
      pages.set(page, (pages.get(page) ?? 0) + 1);
    }
  }
  for (const pages of pins.values()) yield* pages.values();
}

const comparePins = (world: World, observed: HiddenState): readonly HiddenDifference[] => {
  const byCount = (counts: Iterable<number>): string => {
    const tally = new Map<number, number>();
    for (const count of counts) tally.set(count, (tally.get(count) ?? 0) + 1);
    return [...tally]
      .sort(([a], [b]) => a - b)
      .map(([count, pages]) => `${pages} pages ${count} times`)
      .join(', ');
  };
  const expected = byCount(expectedPins(world));
  const seen = byCount(observed.pins.map(({ count }) => count));
  return expected === seen
    ? []
    : [{ where: 'pins', expected: expected || 'none', observed: seen || 'none' }];
};

const compareLocked = (world: World, { locked }: HiddenState): readonly HiddenDifference[] => {
  const account = accountOf(world.memory, PROCESS);
  const words = (process: number, pinned: number, user: number): string =>
    `VmLck ${process}, VmPin ${pinned}, user ${user} pages`;
  const expected = words(account.locked, account.pinned, world.memory.userLocked);
  const observed = words(locked.process, locked.pinned, locked.user);
  return expected === observed ? [] : [{ where: 'locked memory', expected, observed }];
};

/** Whether an unspecified call may have changed the hidden state. */
const isUntracked = (world: World): boolean => {
  for (const file of valuesOf(world.files)) {
    if (file.kind === 'iommufd' && file.context.untracked !== undefined) return true;
    if (file.kind === 'container' && file.container.untracked !== undefined) return true;
  }
  return false;
};

/**
 * Every difference between a machine's hidden state and the world's, after a program of process 1. Empty if an
 * unspecified call may have changed it.
 */
export const hiddenDifferences = (
  world: World,
  observed: HiddenState,
): readonly HiddenDifference[] => {
  if (isUntracked(world)) return [];
  const pairing = new Pairing();
  return [
    ...compareDomains(world, observed, pairing),
    ...compareContainerDomains(world, observed, pairing),
    ...compareTables(world, observed),
    ...comparePins(world, observed),
    ...compareLocked(world, observed),
  ];
};
