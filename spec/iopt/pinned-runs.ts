// SPDX-License-Identifier: MIT
// Adding runs to the pinned runs of pages, and removing parts of them. Adjacent runs are merged if possible.

import { type PageIndex, pageIndex } from '../abi/units.ts';
import { drop, put } from '../collections/ordered-map.ts';
import { type Pinned, type PinnedRun, runAt } from '../state/pages.ts';

/** The run with another number of users. */
export const runWithUsers = ({ last, backing, page }: PinnedRun, users: number): PinnedRun => ({
  last,
  users,
  backing,
  page,
});

const follows = (first: PageIndex, run: PinnedRun, next: PageIndex, nextRun: PinnedRun): boolean =>
  run.last + 1 === next &&
  run.users === nextRun.users &&
  run.backing === nextRun.backing &&
  run.page + (next - first) === nextRun.page;

export const part = (
  first: PageIndex,
  run: PinnedRun,
  from: PageIndex,
  last: PageIndex,
): PinnedRun => ({
  last,
  users: run.users,
  backing: run.backing,
  page: pageIndex(run.page + (from - first)),
});

/** Adds a run, merged with its neighbours if they continue it. */
export const putRun = (pinned: Pinned, first: PageIndex, run: PinnedRun): Pinned => {
  let result = pinned;
  let start = first;
  let whole = run;
  const before = first > 0 ? runAt(result, pageIndex(first - 1)) : undefined;
  if (before !== undefined && follows(before.first, before.run, start, whole)) {
    whole = part(before.first, before.run, before.first, whole.last);
    start = before.first;
  }
  const after = runAt(result, pageIndex(run.last + 1));
  if (after !== undefined && follows(start, whole, after.first, after.run)) {
    result = drop(result, after.first);
    whole = part(start, whole, start, after.run.last);
  }
  return put(result, start, whole);
};

/** Removes [from, last] from the run that contains it. The parts before and after stay. */
export const cutOut = (
  pinned: Pinned,
  first: PageIndex,
  run: PinnedRun,
  from: PageIndex,
  last: PageIndex,
): Pinned => {
  let result = drop(pinned, first);
  if (first < from) result = put(result, first, part(first, run, first, pageIndex(from - 1)));
  if (last < run.last) {
    const after = pageIndex(last + 1);
    result = put(result, after, part(first, run, after, run.last));
  }
  return result;
};
