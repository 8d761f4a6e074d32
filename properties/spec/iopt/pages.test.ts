// SPDX-License-Identifier: MIT
// Laws of pinned memory: who pins it, how long it stays, and that the accounts agree.

import { everyPagesOf, PINNED_LAWS } from '../../../model/laws/pinned.ts';
import { valuesOf } from '../../../spec/collections/ordered-map.ts';
import { type PinnedRun, pinnedCount } from '../../../spec/state/pages.ts';
import type { World } from '../../../spec/state/world.ts';
import { alwaysAll, checkLaws, sometimes } from '../../harness/law.ts';

const runsOf = (world: World): readonly PinnedRun[] =>
  everyPagesOf(world).flatMap(({ pinned }) => [...valuesOf(pinned)]);

checkLaws('pinned memory', [
  ...alwaysAll(PINNED_LAWS),
  sometimes('a page has three holders', ({ after }) =>
    runsOf(after).some(({ users }) => users >= 3),
  ),
  sometimes('pages are shared by areas of two IOAS', ({ after }) =>
    everyPagesOf(after).some(({ areas }) => areas >= 2),
  ),
  sometimes('pages are pinned in part', ({ after }) =>
    everyPagesOf(after).some(
      (pages) => pages.pinned !== undefined && pinnedCount(pages) < pages.pageCount,
    ),
  ),
  sometimes(
    'a program comes near its limit',
    ({ after }) => !after.setting.credentials.privileged && after.memory.userLocked > 15,
  ),
  sometimes(
    'memory stays pinned after the program unmapped it',
    ({ call, after }) => call.kind === 'munmap' && runsOf(after).length > 0,
  ),
  sometimes('a file is pinned', ({ after }) =>
    everyPagesOf(after).some(
      ({ source, pinned }) => source.kind === 'file' && pinned !== undefined,
    ),
  ),
]);
