// SPDX-License-Identifier: MIT
// Sorts causes into rows: each goes to the first description that covers it.

import { CHARGE_DESCRIPTIONS } from './descriptions/charge.ts';
import { CONTAINER_DESCRIPTIONS } from './descriptions/container.ts';
import { DIRTY_PAGES_DESCRIPTIONS } from './descriptions/dirty-pages.ts';
import { GROUP_DESCRIPTIONS, OTHER_GROUP_DESCRIPTIONS } from './descriptions/groups.ts';
import { INFO_DESCRIPTIONS } from './descriptions/info.ts';
import { LAST_PAGE_DESCRIPTIONS } from './descriptions/last-page.ts';
import { MAP_DESCRIPTIONS, OTHER_MAP_DESCRIPTIONS } from './descriptions/map.ts';
import { MAP_ERROR_DESCRIPTIONS } from './descriptions/map-errors.ts';
import { NOIOMMU_DESCRIPTIONS } from './descriptions/noiommu.ts';
import { UNMAP_DESCRIPTIONS } from './descriptions/unmap.ts';
import { WITHOUT_TYPE_DESCRIPTIONS } from './descriptions/without-type.ts';
import type { Cause } from './differences.ts';
import type { Located } from './located.ts';
import { type Description, matches, type Row } from './row.ts';

/** In the order in which they are matched, and in which rows are shown. */
export const DESCRIPTIONS: readonly Description[] = [
  ...NOIOMMU_DESCRIPTIONS,
  ...CONTAINER_DESCRIPTIONS,
  ...WITHOUT_TYPE_DESCRIPTIONS,
  ...DIRTY_PAGES_DESCRIPTIONS,
  ...CHARGE_DESCRIPTIONS,
  ...LAST_PAGE_DESCRIPTIONS,
  ...GROUP_DESCRIPTIONS,
  ...INFO_DESCRIPTIONS,
  ...UNMAP_DESCRIPTIONS,
  ...MAP_DESCRIPTIONS,
  ...MAP_ERROR_DESCRIPTIONS,
  ...OTHER_MAP_DESCRIPTIONS,
  ...OTHER_GROUP_DESCRIPTIONS,
];

const undescribedId = (key: string): string => key.toLowerCase().replace(/[^a-z0-9]+/g, '-');

const undescribed = (found: Located): Description => ({
  id: undescribedId(found.key),
  title: `${found.request}: ${found.what} differs`,
  severity: 'differs',
  means: 'Not described yet.',
  covers: [],
});

/** The description that covers a cause; undefined if there is none yet. */
export const descriptionOf = (cause: Cause): Description | undefined =>
  DESCRIPTIONS.find(({ covers }) => covers.some((matcher) => matches(matcher, cause)));

/** The id of the cause's row, with or without a description. */
export const rowIdOf = (cause: Cause & { readonly key: string }): string =>
  descriptionOf(cause)?.id ?? undescribedId(cause.key);

const byLength = (a: Located, b: Located): number => a.program.length - b.program.length;

export const rowsOf = (all: readonly Located[]): readonly Row[] => {
  const found = new Map<Description, Located[]>();
  const others: Row[] = [];
  for (const cause of all) {
    const description = descriptionOf(cause);
    if (description === undefined) {
      others.push({ description: undescribed(cause), causes: [cause] });
    } else {
      found.set(description, [...(found.get(description) ?? []), cause]);
    }
  }
  const described = DESCRIPTIONS.flatMap((description): readonly Row[] => {
    const [first, ...rest] = (found.get(description) ?? []).sort(byLength);
    return first === undefined ? [] : [{ description, causes: [first, ...rest] }];
  });
  return [...described, ...others];
};
