// SPDX-License-Identifier: MIT
// Detaching a group from a container whose type is set: vfio_iommu_type1_detach_group() in
// drivers/vfio/vfio_iommu_type1.c. Without a domain no page stays pinned. The last group of a container is removed in
// membership.ts.

import { nodesOf, put } from '../collections/ordered-map.ts';
import { chargedPages, type Dma, type Dmas, dmaLength, type Type1 } from '../state/container.ts';
import type { Memory } from '../state/memory.ts';
import type { Platform } from '../terms/platform.ts';
import { allDirty } from './dirty-bitmap.ts';
import { hardwareOf } from './group-hardware.ts';
import { expanded, refreshed } from './iova-ranges.ts';
import { withLocked } from './locked-memory.ts';

export type Detached = { readonly type1: Type1; readonly memory: Memory };

/** Uncharges one map. */
export const uncharged = (memory: Memory, dma: Dma): Memory =>
  withLocked(memory, dma.process, -chargedPages(dma));

/** Uncharges all maps. */
export const allUncharged = (memory: Memory, dmas: Dmas): Memory => {
  let result = memory;
  for (const { value } of nodesOf(dmas)) result = uncharged(result, value);
  return result;
};

const withEach = (dmas: Dmas, change: (dma: Dma, length: bigint) => Dma): Dmas => {
  let result = dmas;
  for (const node of nodesOf(dmas)) {
    result = put(result, node.key, change(node.value, dmaLength(node)));
  }
  return result;
};

const withoutReached = (dma: Dma): Dma => ({ ...dma, reached: undefined });

/** Marks every page of every map as dirty, until it is reported. */
const withAllDirty = (type1: Type1): Type1 =>
  type1.tracksDirty
    ? { ...type1, dmas: withEach(type1.dmas, (dma, length) => allDirty(dma, length)) }
    : type1;

const withoutDomainOf = (
  platform: Platform,
  { type1, memory }: Detached,
  group: number,
): Detached => {
  const owner = type1.domains.find(({ groups }) => groups.includes(group));
  if (owner === undefined)
    throw new Error(`Group ${group} leaves a container and was in no domain.`);
  const left = owner.groups.filter((other) => other !== group);
  const domains =
    left.length > 0
      ? type1.domains.map((domain) => (domain === owner ? { ...owner, groups: left } : domain))
      : type1.domains.filter((domain) => domain !== owner);
  const apertures = domains.map(({ domain }) => domain.aperture);
  const widened = left.length > 0 ? type1.ranges : expanded(type1.ranges, apertures);
  const reserved = domains.flatMap(({ groups }) =>
    groups.flatMap((other) => {
      const hardware = hardwareOf(platform, other);
      return hardware.kind === 'iommu' ? hardware.reserved : [];
    }),
  );
  const ranges = refreshed(widened, reserved, type1.ranges);
  const next = { ...type1, domains, ranges };
  if (domains.length > 0) return { type1: withAllDirty(next), memory };
  return {
    type1: withAllDirty({ ...next, dmas: withEach(type1.dmas, withoutReached) }),
    memory: allUncharged(memory, type1.dmas),
  };
};

/** Detaches a group that is not the last one of the container. */
export const detachGroup = (platform: Platform, before: Detached, group: number): Detached => {
  const { type1, memory } = before;
  if (hardwareOf(platform, group).kind === 'iommu') {
    return withoutDomainOf(platform, before, group);
  }
  const emulatedGroups = type1.emulatedGroups.filter((other) => other !== group);
  return { type1: { ...type1, emulatedGroups }, memory };
};
