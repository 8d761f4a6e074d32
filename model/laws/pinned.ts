// SPDX-License-Identifier: MIT
// Laws of pinned memory: the pins and their users, how pins are stored, and the accounts.

import { nodesOf, valueAt, valuesOf } from '../../spec/collections/ordered-map.ts';
import { slicesOf } from '../../spec/iopt/access.ts';
import { byteOf, pageOfByte, pagesOfArea } from '../../spec/state/area.ts';
import { chargedPages } from '../../spec/state/container.ts';
import type { Context } from '../../spec/state/context.ts';
import { type Pages, type PagesId, type PinnedRun, pinnedCount } from '../../spec/state/pages.ts';
import type { World } from '../../spec/state/world.ts';
import { type Contradiction, law, type WorldLaw } from './law.ts';
import { areasOf, containersOf, contextsOf, firstOf, objectsOf } from './worlds.ts';

type Pins = Map<PagesId, Map<number, number>>;

const pinOnce = (pins: Pins, id: PagesId, first: number, last: number): void => {
  const pages = pins.get(id) ?? new Map<number, number>();
  pins.set(id, pages);
  for (let page = first; page <= last; page += 1) pages.set(page, (pages.get(page) ?? 0) + 1);
};

/** How many users each page has: areas in tables with a domain, and accesses' pins. */
const usersIn = (context: Context): Pins => {
  const pins: Pins = new Map();
  for (const { object } of objectsOf(context, 'ioas')) {
    if (object.table.domains.length === 0) continue;
    for (const node of areasOf(object.table)) {
      const { first, last } = pagesOfArea(node.key, node.value);
      pinOnce(pins, node.value.pages, first, last);
    }
  }
  for (const { object } of objectsOf(context, 'access')) {
    const table = objectsOf(context, 'ioas').find(({ id }) => id === object.ioas)?.object.table;
    for (const { iova, length } of object.pins) {
      for (const slice of slicesOf(table?.areas, iova, iova + length - 1n)) {
        const first = pageOfByte(byteOf(slice.node, slice.iova));
        const last = pageOfByte(byteOf(slice.node, slice.last));
        pinOnce(pins, slice.node.value.pages, first, last);
      }
    }
  }
  return pins;
};

const inEveryContext = (name: string, contradiction: (context: Context) => Contradiction) =>
  law(name, (world) => firstOf(contextsOf(world).map(contradiction)));

const everyPages = (
  name: string,
  contradiction: (pages: Pages, id: PagesId, context: Context) => Contradiction,
) =>
  inEveryContext(name, (context) =>
    firstOf(
      [...nodesOf(context.pages)].map(({ key, value }) => {
        const found = contradiction(value, key, context);
        return found === undefined ? undefined : `pages ${key}: ${found}`;
      }),
    ),
  );

/** A page is pinned exactly as often as areas in domains and accesses' pins use it. */
const pinnedAsCounted = inEveryContext(
  'pages are pinned as often as their users pin them',
  (context) => {
    const pins = usersIn(context);
    for (const { key, value } of nodesOf(context.pages)) {
      const expected = pins.get(key) ?? new Map<number, number>();
      let pinned = 0;
      for (const { key: first, value: run } of nodesOf(value.pinned)) {
        for (let page: number = first; page <= run.last; page += 1) {
          pinned += 1;
          const holders = expected.get(page) ?? 0;
          if (holders !== run.users) {
            return `page ${page} of pages ${key} has ${holders} holders and counts ${run.users}`;
          }
        }
      }
      if (pinned !== expected.size)
        return `${expected.size} pages of pages ${key} have users, ${pinned} are pinned`;
    }
    return undefined;
  },
);

const canBeOne = (first: number, run: PinnedRun, next: number, nextRun: PinnedRun): boolean =>
  run.last + 1 === next &&
  run.users === nextRun.users &&
  run.backing === nextRun.backing &&
  run.page + (next - first) === nextRun.page;

/**
 * Runs ascend within the pages, have users, do not overlap, and no two neighbours could be merged.
 */
const runsAreCanonical = everyPages('pinned runs are canonical', (pages) => {
  let before: { readonly first: number; readonly run: PinnedRun } | undefined;
  for (const { key, value } of nodesOf(pages.pinned)) {
    if (value.users < 1 || value.last < key) return `the run at ${key} is empty or pins by nobody`;
    if (value.last >= pages.pageCount) return `the run at ${key} ends after the pages`;
    if (before !== undefined) {
      if (key <= before.run.last) return `the run at ${key} meets the one before it`;
      if (canBeOne(before.first, before.run, key, value))
        return `the run at ${key} continues the one before it`;
    }
    before = { first: key, run: value };
  }
  return undefined;
});

/** Pages count the areas that map them, and exist only as long as one does. */
const areasAreCounted = everyPages('pages count the areas that map them', (pages, id, context) => {
  let areas = 0;
  for (const { object } of objectsOf(context, 'ioas')) {
    for (const { value } of areasOf(object.table)) if (value.pages === id) areas += 1;
  }
  return areas === pages.areas && areas > 0
    ? undefined
    : `${areas} areas, counted as ${pages.areas}`;
});

/** An area is within its pages, and is writable only if they are. */
const areasLieInPages = inEveryContext('areas lie within their pages', (context) => {
  for (const { object } of objectsOf(context, 'ioas')) {
    for (const node of areasOf(object.table)) {
      const pages = valueAt(context.pages, node.value.pages);
      if (pages === undefined) return `the pages ${node.value.pages} are gone`;
      if (pagesOfArea(node.key, node.value).last >= pages.pageCount)
        return 'an area ends after its pages';
      if (node.value.writable && !pages.writable) return 'a writable area maps pages that are not';
    }
  }
  return undefined;
});

/** How many pages the maps of legacy containers charge to the process. */
const lockedByContainers = (world: World, process: number): number => {
  let locked = 0;
  for (const { type1 } of containersOf(world)) {
    for (const dma of valuesOf(type1?.dmas)) {
      if (dma.process === process) locked += chargedPages(dma);
    }
  }
  return locked;
};

export const everyPagesOf = (world: World): readonly Pages[] =>
  contextsOf(world).flatMap((context) => [...valuesOf(context.pages)]);

/**
 * What is charged is what is pinned: to the process always, and to VmLck or to the user by the
 * pages' accounting mode. Legacy containers charge VmLck.
 */
const accountsAgree = law('accounts are the sums of what is pinned', (world) => {
  const { accounts, userLocked } = world.memory;
  const pages = everyPagesOf(world);
  const sum = (of: (pages: Pages) => boolean): number =>
    pages.filter(of).reduce((total, one) => total + pinnedCount(one), 0);
  for (const { key: process, value } of nodesOf(accounts)) {
    const pinned = sum((one) => one.process === process);
    const locked =
      sum((one) => one.process === process && one.charge === 'process') +
      lockedByContainers(world, process);
    if (value.pinned !== pinned)
      return `process ${process} pins ${pinned}, VmPin says ${value.pinned}`;
    if (value.locked !== locked)
      return `process ${process} locks ${locked}, VmLck says ${value.locked}`;
  }
  const user = sum((one) => one.charge === 'user');
  return userLocked === user ? undefined : `the user pins ${user}, its account says ${userLocked}`;
});

/** An unprivileged program never has more pages pinned than it may lock. */
const limitIsKept = law('the limit of locked memory is kept', (world) => {
  const { credentials, userLocked } = world.memory;
  const limit = credentials.memlockLimit / 4096n;
  return credentials.privileged || BigInt(userLocked) <= limit
    ? undefined
    : `${userLocked} pages where ${limit} are allowed`;
});

export const PINNED_LAWS: readonly WorldLaw[] = [
  pinnedAsCounted,
  runsAreCanonical,
  areasAreCounted,
  areasLieInPages,
  accountsAgree,
  limitIsKept,
];
