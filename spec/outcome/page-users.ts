// SPDX-License-Identifier: MIT
// How the number of users of an area's pages changes along the area.

import { nodesOf, valuesOf } from '../collections/ordered-map.ts';
import { pagesOfArea } from '../state/area.ts';
import { pagesAt } from '../state/context.ts';
import type { World } from '../state/world.ts';

/** Whether the counts have a rise and a fall, and more runs after them. */
const hasHole = (users: readonly number[]): boolean =>
  users.some((count, index) => {
    const [before, earlier] = [users[index - 1] ?? 0, users[index - 2]];
    return earlier !== undefined && earlier < before && count < before && index + 1 < users.length;
  });

/**
 * Whether an area has pages that it pins alone, then pages that others pin too, then pages that it pins alone, then
 * more pages.
 */
export const hasHoleBetweenUsers = (world: World): boolean => {
  for (const file of valuesOf(world.files)) {
    if (file.kind !== 'iommufd' || file.context.untracked !== undefined) continue;
    for (const object of valuesOf(file.context.objects)) {
      if (object.kind !== 'ioas' || object.table.domains.length === 0) continue;
      for (const { key: iova, value: area } of nodesOf(object.table.areas)) {
        const { first, last } = pagesOfArea(iova, area);
        const users = [...nodesOf(pagesAt(file.context, area.pages).pinned)]
          .filter(({ key, value }) => key <= last && value.last >= first)
          .map(({ value }) => value.users);
        if (hasHole(users)) return true;
      }
    }
  }
  return false;
};
