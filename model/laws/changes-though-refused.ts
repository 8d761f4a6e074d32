// SPDX-License-Identifier: MIT
// The rules that refuse a call and still change the world, each with the reason. Any other refusal
// changes nothing.

import type { RuleId } from '../../spec/rules.ts';

export type Change = { readonly rule: RuleId; readonly reason: string };

const ANSWER_LAST = 'the call is carried out before its answer is written';
const ROOM_FIRST = 'the kernel makes room in memory before it asks the file';

export const CHANGES_THOUGH_REFUSED: readonly Change[] = [
  { rule: 'ioas-map/reply-fault', reason: ANSWER_LAST },
  { rule: 'ioas-map-file/reply-fault', reason: ANSWER_LAST },
  { rule: 'ioas-copy/reply-fault', reason: ANSWER_LAST },
  { rule: 'ioas-unmap/reply-fault', reason: ANSWER_LAST },
  { rule: 'compat-unmap-dma/reply-fault', reason: ANSWER_LAST },
  { rule: 'type1-unmap-dma/reply-fault', reason: ANSWER_LAST },
  {
    rule: 'type1-unmap-dma/bitmap-fault',
    reason: 'the maps before the one in question are gone',
  },
  {
    rule: 'type1-dirty-pages/bitmap-fault',
    reason: 'the bitmaps of the maps before it were reported, and its own was shifted already',
  },
  { rule: 'option/reply-fault', reason: ANSWER_LAST },
  { rule: 'test-dirty/reply-fault', reason: ANSWER_LAST },
  { rule: 'test-mock-domain-replace/reply-fault', reason: ANSWER_LAST },
  {
    rule: 'device-attach-iommufd-pt/reply-fault',
    reason: 'the device is detached, also from what it was attached to before the call',
  },
  { rule: 'respond/reply-fault', reason: 'the number of a pin is used up, and nothing is pinned' },
  { rule: 'program-memory/iommufd-private', reason: ROOM_FIRST },
  { rule: 'program-memory/no-page', reason: ROOM_FIRST },
  { rule: 'unmapping/cuts-area', reason: 'the areas before the one in the way are gone' },
  { rule: 'cutting/misaligned', reason: 'the cut after the range was made before this one' },
  { rule: 'cutting/accessed', reason: 'the cut after the range was made before this one' },
];
