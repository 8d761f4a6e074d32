// SPDX-License-Identifier: MIT
// Laws of legacy containers: how maps, groups and domains relate, what is charged, and what devices
// can access.

import { PAGE_SIZE_BYTES } from '../../spec/abi/units.ts';
import { nodesOf, sizeOf, valuesOf } from '../../spec/collections/ordered-map.ts';
import { translate, translations } from '../../spec/hardware/translate-type1.ts';
import {
  type Container,
  chargedPages,
  type DmaNode,
  dmaAt,
  dmaLength,
  type Type1,
} from '../../spec/state/container.ts';
import { accountOf } from '../../spec/state/memory.ts';
import { pinnedCount } from '../../spec/state/pages.ts';
import type { World } from '../../spec/state/world.ts';
import { isValidRange } from '../../spec/type1/iova-ranges.ts';
import { type Contradiction, law, type WorldLaw } from './law.ts';
import { containersOf, contextsOf, firstOf, hex } from './worlds.ts';

const PROCESS = 1;

export type Typed = {
  readonly container: Container;
  readonly type1: Type1;
  readonly maps: readonly DmaNode[];
};

/** Every container that has a type and nothing untracked. */
export function* typedOf(world: World): Generator<Typed> {
  for (const container of containersOf(world)) {
    const { type1, untracked } = container;
    if (type1 === undefined || untracked !== undefined) continue;
    yield { container, type1, maps: [...nodesOf(type1.dmas)] };
  }
}

const inEveryContainer = (
  name: string,
  contradiction: (typed: Typed, world: World) => Contradiction,
) => law(name, (world) => firstOf([...typedOf(world)].map((typed) => contradiction(typed, world))));

/** Maps ascend, do not overlap, are whole pages, and are in usable ranges. */
const mapsAreApart = inEveryContainer(
  'maps are apart, whole pages and usable',
  ({ type1, maps }) => {
    let end = -1n;
    for (const node of maps) {
      const { key, value } = node;
      if (key <= end || value.last < key) return `the map at ${hex(key)} meets another`;
      if ((key | dmaLength(node) | value.vaddr) % PAGE_SIZE_BYTES !== 0n) {
        return `the map at ${hex(key)} is no whole pages`;
      }
      if (!isValidRange(type1.ranges, key, value.last))
        return `the map at ${hex(key)} lies outside`;
      end = value.last;
    }
    return undefined;
  },
);

/** The counts agree with the maps. */
const countsAgree = inEveryContainer('counts agree with the maps', ({ type1, maps }, world) => {
  const { dmaEntryLimit } = world.setting.platform;
  if (type1.available + sizeOf(type1.dmas) + type1.lookupMisses.length !== dmaEntryLimit)
    return 'maps that are left';
  const invalid = maps.filter(({ value }) => value.vaddrInvalid).length;
  if (invalid !== type1.invalidVaddrs) return 'invalid addresses';
  const tracked = maps.every(({ value }) => (value.dirty !== undefined) === type1.tracksDirty);
  return tracked ? undefined : 'a bitmap without tracking, or none with it';
});

/** With a domain all pages of every map are pinned, without one none. */
const domainsHavePages = inEveryContainer('with a domain maps have pages', ({ type1, maps }) => {
  for (const node of maps) {
    const { reached } = node.value;
    if ((reached !== undefined) !== type1.domains.length > 0) return hex(node.key);
    const pages = reached?.reduce((sum, { count }) => sum + BigInt(count), 0n);
    if (pages !== undefined && pages * PAGE_SIZE_BYTES !== dmaLength(node)) return hex(node.key);
  }
  return undefined;
});

/**
 * A container has exactly the groups that refer to it; with a type, each is emulated or in one
 * domain.
 */
const groupsAgree = law('a container has the groups that name it', (world) => {
  for (const { file, groups, type1 } of containersOf(world)) {
    const named: number[] = [];
    for (const other of valuesOf(world.files)) {
      if (other.kind === 'group' && other.container === file) named.push(other.group);
    }
    const sorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b).join();
    if (sorted(named) !== sorted(groups)) return `file ${file} has ${groups}, named by ${named}`;
    if (type1 === undefined) continue;
    if (groups.length === 0) return `file ${file} has a type and no group`;
    const attached = type1.domains.flatMap((domain) => domain.groups);
    if (sorted([...attached, ...type1.emulatedGroups]) !== sorted(groups)) {
      return `file ${file} has ${groups}, attached are ${attached} and ${type1.emulatedGroups}`;
    }
  }
  return undefined;
});

/**
 * VmLck is what iommufds charge to the process, and every page of memory of every map; the maps are
 * not part of VmPin.
 */
const chargesAddUp = law('what is charged adds up', (world) => {
  let locked = 0;
  let pinned = 0;
  for (const { pages } of contextsOf(world)) {
    for (const span of valuesOf(pages)) {
      pinned += pinnedCount(span);
      if (span.charge === 'process') locked += pinnedCount(span);
    }
  }
  for (const { type1 } of containersOf(world)) {
    for (const dma of valuesOf(type1?.dmas)) locked += chargedPages(dma);
  }
  const account = accountOf(world.memory, PROCESS);
  return account.locked === locked && account.pinned === pinned
    ? undefined
    : `${account.locked} and ${account.pinned} pages, not ${locked} and ${pinned}`;
});

/**
 * Devices with an IOMMU can access exactly the maps, with their permissions; mdevs can access
 * nothing.
 */
const devicesReachMaps = inEveryContainer('devices reach exactly the maps', (typed) => {
  const { container, type1, maps } = typed;
  for (const group of type1.emulatedGroups) {
    if (!translations(container, group).next().done)
      return `mediated group ${group} reaches memory`;
  }
  const through = type1.domains.flatMap(({ domain, groups }) =>
    groups.map((group) => ({ group, readsWhereItWrites: domain.writeImpliesRead })),
  );
  for (const { group, readsWhereItWrites } of through) {
    for (const { key, value } of maps) {
      for (const iova of [key - 1n, key, value.last, value.last + 1n]) {
        const dma = dmaAt(type1.dmas, iova)?.value;
        const found = translate(container, group, iova);
        if ((dma === undefined) !== (found === undefined)) return `group ${group} at ${hex(iova)}`;
        const readable = dma?.readable || (dma?.writable && readsWhereItWrites);
        if (found?.readable !== readable || found?.writable !== dma?.writable) {
          return `permissions of ${hex(iova)}`;
        }
      }
    }
    let bytes = 0n;
    for (const { iova, length, page, backing } of translations(container, group)) {
      const found = translate(container, group, iova);
      if (found?.page !== page || found.backing !== backing) return `the page at ${hex(iova)}`;
      bytes += BigInt(length);
    }
    if (bytes !== maps.reduce((sum, node) => sum + dmaLength(node), 0n)) return `group ${group}`;
  }
  return undefined;
});

export const CONTAINER_LAWS: readonly WorldLaw[] = [
  mapsAreApart,
  countsAgree,
  domainsHavePages,
  groupsAgree,
  chargesAddUp,
  devicesReachMaps,
];
