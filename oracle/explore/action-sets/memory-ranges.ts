// SPDX-License-Identifier: MIT
// The few places at which explored programs map: where a mock domain's aperture begins and ends, around it, and the ends of
// the address space.

import { DATA_OFFSET, NO_ACCESS_OFFSET, READ_ONLY_OFFSET } from '../../../model/programs/arena.ts';
import type { Value } from '../../../model/programs/program.ts';
import { MOCK_APERTURE_LAST, MOCK_APERTURE_START } from '../../../spec/abi/test.ts';
import { LAST_PAGE, PAGE } from '../calls.ts';

/** Four pages from here on are what programs map, cut and unmap. */
export const FIRST = MOCK_APERTURE_START;
export const SECOND = FIRST + PAGE;
export const APERTURE_END = MOCK_APERTURE_LAST + 1n;
export const END = LAST_PAGE;

/** Memory for what is mapped at an IOVA from `FIRST` on: a page of it for each page there. */
export const memoryFor = (iova: bigint): Value => ({ arena: DATA_OFFSET + (iova - FIRST) });

export const DATA: Value = { arena: DATA_OFFSET };
export const READ_ONLY: Value = { arena: READ_ONLY_OFFSET };
export const NO_ACCESS: Value = { arena: NO_ACCESS_OFFSET };
