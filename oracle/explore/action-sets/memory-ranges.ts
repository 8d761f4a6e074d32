// SPDX-License-Identifier: MIT
// The IOVAs at which explored programs map: the start and end of a mock domain's aperture, around them, and the ends of the
// address space.

import { DATA_OFFSET, NO_ACCESS_OFFSET, READ_ONLY_OFFSET } from '../../../model/programs/arena.ts';
import type { Value } from '../../../model/programs/program.ts';
import { MOCK_APERTURE_LAST, MOCK_APERTURE_START } from '../../../spec/abi/test.ts';
import { LAST_PAGE, PAGE } from '../calls.ts';

/** Programs map, cut and unmap the four pages from here on. */
export const FIRST = MOCK_APERTURE_START;
export const SECOND = FIRST + PAGE;
export const APERTURE_END = MOCK_APERTURE_LAST + 1n;
export const END = LAST_PAGE;

/** The memory for an IOVA: `DATA` at `FIRST`, and so on. */
export const memoryFor = (iova: bigint): Value => ({ arena: DATA_OFFSET + (iova - FIRST) });

export const DATA: Value = { arena: DATA_OFFSET };
export const READ_ONLY: Value = { arena: READ_ONLY_OFFSET };
export const NO_ACCESS: Value = { arena: NO_ACCESS_OFFSET };
