// SPDX-License-Identifier: MIT
// Domains of an IOAS: iopt_table_add_domain() and iopt_table_remove_domain() in drivers/iommu/iommufd/io_pagetable.c.
// The first domain pins the memory of every area, the last one unpins it.

import { type ObjectId, PAGE_SIZE_BYTES, type PageIndex, U64_MAX } from '../abi/units.ts';
import { nodesOf } from '../collections/ordered-map.ts';
import { type Area, pagesOfArea } from '../state/area.ts';
import { pagesAt, tableOf, withPages, withTable } from '../state/context.ts';
import type { HardwareDomain } from '../state/domain.ts';
import { type IoPagetable, smallestPageSize, withUsers } from '../state/io-pagetable.ts';
import type { IommufdState } from '../state/iommufd-state.ts';
import { isRefused, type Refused, refused, refuses, rulesOf } from '../terms/rule.ts';
import { alignmentRules, areasConform, requiredAlignment } from './alignment.ts';
import { type PagesAndMemory, pinRange, unpinRange } from './pin-range.ts';
import { reserved, unreserved } from './reserve.ts';

export const domainsRules = rulesOf(
  {
    id: 'domains',
    title: 'domains of an IOAS',
    source: 'iopt_table_add_domain() in drivers/iommu/iommufd/io_pagetable.c',
  },
  {
    pageSizeTooLarge: refuses(
      'EINVAL',
      'The smallest page size of the domain exceeds the page size of the processor.',
    ),
    noPermission: refuses(
      'EINVAL',
      'The area is neither readable nor writable, and the IOMMU driver cannot map such an area.',
      'iommu_map() in drivers/iommu/iommu.c, the IOMMU driver below it',
    ),
  },
);

const withAperture = (
  table: IoPagetable,
  hwpt: ObjectId,
  domain: HardwareDomain,
): IoPagetable | Refused => {
  const { start, last } = domain.aperture;
  const by = { kind: 'domain', hwpt } as const;
  let result: IoPagetable | Refused = table;
  if (start !== 0n) result = reserved(result, { start: 0n, last: start - 1n }, by);
  if (isRefused(result) || last === U64_MAX) return result;
  return reserved(result, { start: last + 1n, last: U64_MAX }, by);
};

/** Whether the domain can map an area with its permissions. */
const canMap = (domain: HardwareDomain, { readable, writable }: Area): boolean =>
  readable || writable || domain.mapsWithoutPermission;

const canMapAll = (domain: HardwareDomain, table: IoPagetable): boolean => {
  if (domain.mapsWithoutPermission) return true;
  for (const { value } of nodesOf(table.areas)) if (!canMap(domain, value)) return false;
  return true;
};

type RangeChange = (
  pages: PagesAndMemory,
  first: PageIndex,
  last: PageIndex,
  area: Area,
) => PagesAndMemory | Refused;

/** Changes the pages of each area of the table, by ascending IOVA. */
const forEachArea = (
  state: IommufdState,
  table: IoPagetable,
  change: RangeChange,
): IommufdState | Refused => {
  let { context, memory } = state;
  for (const { key, value: area } of nodesOf(table.areas)) {
    const { first, last } = pagesOfArea(key, area);
    const changed = change({ pages: pagesAt(context, area.pages), memory }, first, last, area);
    if (isRefused(changed)) return changed;
    context = withPages(context, area.pages, changed.pages);
    memory = changed.memory;
  }
  return { context, memory };
};

/** Pins the memory that the table's first domain maps: iopt_fill_domain(). */
const fillDomain = (state: IommufdState, table: IoPagetable, domain: HardwareDomain) =>
  forEachArea(state, table, (pages, first, last, area) => {
    const unfit = canMap(domain, area) ? undefined : refused(domainsRules.noPermission);
    return pinRange(pages, first, last, unfit);
  });

/** Unpins the memory that the table's last domain mapped: iopt_unfill_domain(). */
const unfillDomain = (state: IommufdState, table: IoPagetable) =>
  forEachArea(state, table, unpinRange);

/**
 * Adds the domain to the IOAS: it maps every area, and the IOVAs outside its aperture become reserved. Refused if an
 * area is there, or memory cannot be pinned; then nothing changes.
 */
export const withDomain = (
  state: IommufdState,
  ioas: ObjectId,
  hwpt: ObjectId,
  domain: HardwareDomain,
): IommufdState | Refused => {
  const before = tableOf(state.context, ioas);
  const least = smallestPageSize(domain.pageSizes);
  const alignment = least > before.alignment ? least : before.alignment;
  if (alignment > PAGE_SIZE_BYTES) return refused(domainsRules.pageSizeTooLarge);
  if (alignment !== before.alignment && !areasConform(before.areas, alignment)) {
    return refused(alignmentRules.misalignedArea);
  }
  const table = withAperture(before, hwpt, domain);
  if (isRefused(table)) return table;
  const filled = table.domains.length === 0 ? fillDomain(state, table, domain) : state;
  if (isRefused(filled)) return filled;
  if (table.domains.length > 0 && !canMapAll(domain, table)) {
    return refused(domainsRules.noPermission);
  }
  const domains = [...table.domains, hwpt];
  const slots = [...table.slots, hwpt];
  const users = withUsers(table, domains, table.accesses, alignment, slots);
  return { context: withTable(filled.context, ioas, users), memory: filled.memory };
};

/** The last hwpt moves to the slot of the one that is removed. */
const slotsWithout = ({ slots }: IoPagetable, hwpt: ObjectId): readonly ObjectId[] => {
  const kept = slots.slice(0, -1);
  const tail = slots.at(-1);
  return tail === undefined || tail === hwpt
    ? kept
    : kept.map((other) => (other === hwpt ? tail : other));
};

/** Removes the domain from the IOAS. */
export const withoutDomain = (
  state: IommufdState,
  ioas: ObjectId,
  hwpt: ObjectId,
): IommufdState => {
  const before = tableOf(state.context, ioas);
  const domains = before.domains.filter((id) => id !== hwpt);
  const freed = unreserved(before, { kind: 'domain', hwpt });
  const slots = slotsWithout(before, hwpt);
  const table = withUsers(freed, domains, freed.accesses, freed.alignment, slots);
  const emptied =
    domains.length === 0 && before.domains.length > 0
      ? (unfillDomain(state, table) as IommufdState)
      : state;
  const alignment = requiredAlignment(emptied.context, table);
  return {
    context: withTable(emptied.context, ioas, withUsers(table, domains, table.accesses, alignment)),
    memory: emptied.memory,
  };
};
