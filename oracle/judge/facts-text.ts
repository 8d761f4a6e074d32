// SPDX-License-Identifier: MIT
// Text of what replies showed about facts that an input does not state.

import type { Bounds, Facts } from '../../spec/terms/facts.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { count } from '../text/quantities.ts';
import { ANY_ENTRIES, ANY_PAGES } from './facts.ts';

/** "at least 16 pages and below 32 pages"; undefined if nothing is known. */
const boundsText = (
  { atLeast, below }: Bounds,
  any: Bounds,
  unit: (value: bigint) => string,
): string | undefined => {
  if (below - atLeast === 1n) return unit(atLeast);
  const parts = [
    ...(atLeast > any.atLeast ? [`at least ${unit(atLeast)}`] : []),
    ...(below < any.below ? [`below ${unit(below)}`] : []),
  ];
  return parts.length === 0 ? undefined : parts.join(' and ');
};

const pagesText = (pages: bigint): string => count(Number(pages), 'page');
const mapsText = (maps: bigint): string => count(Number(maps), 'map');

/** The limit on locked memory, if the input does not state it. */
export const memlockText = ({ memlock }: Facts): string | undefined =>
  memlock === undefined
    ? undefined
    : `RLIMIT_MEMLOCK ${boundsText(memlock, ANY_PAGES, pagesText) ?? 'not stated'}`;

const interruptsText = ({ interrupts }: Facts): readonly string[] => {
  const { type1, iommufd } = interrupts ?? {};
  const drivers = [
    ...(type1 === false ? ['vfio_iommu_type1'] : []),
    ...(iommufd === false ? ['iommufd'] : []),
  ];
  return drivers.map(
    (driver) => `interrupts are not isolated, and ${driver} has no allow_unsafe_interrupts`,
  );
};

/** The bounds as text, if a refusal showed an upper one; every other reply shows a lower one. */
const refusedAt = (
  bounds: Bounds | undefined,
  any: Bounds,
  unit: (value: bigint) => string,
): string | undefined =>
  bounds === undefined || bounds.below === any.below ? undefined : boundsText(bounds, any, unit);

/** What refusals showed, as clauses; empty if the input states every fact that decided a reply. */
export const shownFacts = ({ facts, credentials }: Setting): readonly string[] => {
  if (facts === undefined) return [];
  const limit = refusedAt(facts.memlock, ANY_PAGES, pagesText);
  const entries = refusedAt(facts.dmaEntryLimit, ANY_ENTRIES, mapsText);
  const dropped = facts.mayDropCapabilities === true && !credentials.privileged;
  return [
    ...(dropped ? ['the program dropped its capabilities'] : []),
    ...(limit === undefined ? [] : [`RLIMIT_MEMLOCK is ${limit}`]),
    ...(entries === undefined ? [] : [`dma_entry_limit is ${entries}`]),
    ...interruptsText(facts),
    ...[...(facts.groupsInUse ?? [])].flatMap(([group, isInUse]) =>
      isInUse ? [`a driver of the kernel has a device of group ${group}`] : [],
    ),
  ];
};
