// SPDX-License-Identifier: MIT
// Differences of DIRTY_PAGES, which iommufd does not have: what becomes of each use, valid or not.

import type { RuleId } from '../../../spec/rules.ts';
import type { Description } from '../row.ts';

const DIRTY = 'VFIO_IOMMU_DIRTY_PAGES';
const DECLARED = 'the patch: "SW access \'dirty tracking\'" is not going to be implemented';

const refused = (
  id: string,
  title: string,
  rules: readonly RuleId[],
  means = 'Both refuse; with iommufd there is no such call.',
): Description => ({
  id,
  title,
  severity: 'harmless',
  declared: DECLARED,
  means,
  covers: [{ request: DIRTY, legacy: rules }],
});

export const DIRTY_PAGES_DESCRIPTIONS: readonly Description[] = [
  {
    id: 'dirty-pages',
    title: 'DIRTY_PAGES(START) does not exist: no tracking of dirty pages through the container',
    severity: 'breaks',
    declared: DECLARED,
    means:
      'Live migration with type1’s tracking fails at its start with ENOTTY. Native calls (HWPT_SET_DIRTY_TRACKING, where the IOMMU can) or the device’s own tracking take its place. GET_INFO does not offer the capability, so that a program that checks there first does not ask.',
    covers: [{ request: DIRTY, legacy: 'type1-dirty-pages/starts' }],
  },
  {
    id: 'dirty-pages-stop',
    title: 'DIRTY_PAGES(STOP) does not exist',
    severity: 'breaks',
    declared: DECLARED,
    means:
      'type1 grants it also where nothing is tracked; a clean-up that insists on success fails.',
    covers: [{ request: DIRTY, legacy: 'type1-dirty-pages/stops' }],
  },
  {
    id: 'dirty-pages-bitmap',
    title: 'DIRTY_PAGES(GET_BITMAP) does not exist: which pages are dirty cannot be asked',
    severity: 'breaks',
    declared: DECLARED,
    means: 'A program that could not start the tracking has no use for it.',
    covers: [{ request: DIRTY, legacyAnswers: 'grants' }],
  },
  refused(
    'dirty-pages-version1',
    'DIRTY_PAGES as v1 fails with ENOTTY instead of EACCES',
    ['type1-dirty-pages/v1'],
    'Both refuse. type1 tracks dirty pages as v2 alone, and says so by EACCES.',
  ),
  refused(
    'dirty-pages-short',
    'DIRTY_PAGES with an argsz that is too short fails with ENOTTY instead of EINVAL',
    ['type1-dirty-pages/too-short', 'type1-dirty-pages/too-short-for-range'],
  ),
  refused(
    'dirty-pages-flags',
    'DIRTY_PAGES with no flag, several or unknown ones fails with ENOTTY instead of EINVAL',
    ['type1-dirty-pages/not-one-flag'],
  ),
  refused(
    'dirty-pages-not-tracking',
    'DIRTY_PAGES(GET_BITMAP) without tracking fails with ENOTTY instead of EINVAL',
    ['type1-dirty-pages/not-tracking'],
  ),
  refused(
    'dirty-pages-overflow',
    'DIRTY_PAGES(GET_BITMAP) of a range that passes the end of the address space fails with ENOTTY',
    ['type1-dirty-pages/wraps', 'type1-dirty-pages/wraps-einval'],
  ),
  refused(
    'dirty-pages-range',
    'DIRTY_PAGES(GET_BITMAP) of an empty or unaligned range fails with ENOTTY instead of EINVAL',
    ['type1-dirty-pages/zero-length', 'type1-dirty-pages/misaligned'],
  ),
  refused(
    'dirty-pages-page-size',
    'DIRTY_PAGES(GET_BITMAP) for another page size fails with ENOTTY instead of EINVAL',
    ['type1-dirty-pages/wrong-page-size'],
  ),
  refused(
    'dirty-pages-bitmap-size',
    'DIRTY_PAGES(GET_BITMAP) with a bitmap of the wrong length fails with ENOTTY instead of EINVAL',
    ['type1-dirty-pages/bitmap-size'],
  ),
  refused(
    'dirty-pages-bitmap-memory',
    'DIRTY_PAGES(GET_BITMAP) with a bitmap that is not in memory fails with ENOTTY instead of EINVAL',
    ['type1-dirty-pages/bitmap-outside-user-memory'],
  ),
  refused(
    'dirty-pages-too-many',
    'DIRTY_PAGES(START) with a map that is too long to be tracked fails with ENOTTY instead of EINVAL',
    ['type1-dirty-pages/too-many-pages'],
  ),
  refused(
    'dirty-pages-part',
    'DIRTY_PAGES(GET_BITMAP) of a part of a map fails with ENOTTY instead of EINVAL',
    ['type1-dirty-pages/cuts-first', 'type1-dirty-pages/cuts-last'],
  ),
  refused(
    'dirty-pages-fault',
    'DIRTY_PAGES of a struct or range that cannot be read fails with ENOTTY instead of EFAULT',
    ['type1-dirty-pages/struct-fault', 'type1-dirty-pages/range-struct-fault'],
  ),
  refused(
    'dirty-pages-unanswered',
    'DIRTY_PAGES(GET_BITMAP) into memory that cannot be written fails with ENOTTY instead of EFAULT',
    ['type1-dirty-pages/bitmap-fault'],
    'Both refuse; with iommufd there is no such call. type1 has reported the maps before.',
  ),
  {
    id: 'dirty-pages-errno',
    title: 'An invalid DIRTY_PAGES fails with ENOTTY, whatever is wrong with it',
    severity: 'harmless',
    declared: DECLARED,
    means: 'Both refuse; with iommufd there is no such call.',
    covers: [{ request: DIRTY }],
  },
];
