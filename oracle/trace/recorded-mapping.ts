// SPDX-License-Identifier: MIT
// A program's mappings in lines of a recording.

import * as v from 'valibot';
import { type UserAddress, userAddress } from '../../spec/abi/units.ts';
import { MAPPINGS_MAX } from './limits.ts';
import { list, must, openFields, pages } from './values.ts';

/** A mapping of the calling process; `last` is inclusive. */
export type RecordedMapping = {
  readonly start: UserAddress;
  readonly last: UserAddress;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly shared: boolean;
};

export const PERMISSIONS = /^[r-][w-][x-][ps]$/;

/** "rw-p" */
export const permissions = v.pipe(
  v.string(must('permissions like "rw-p"')),
  v.regex(PERMISSIONS, must('permissions like "rw-p"')),
);

const mapping = v.pipe(
  openFields({ start: pages, end: pages, perm: permissions }),
  v.check(({ start, end }) => start < end, 'must have its "start" before its "end"'),
  v.transform(
    ({ start, end, perm }): RecordedMapping => ({
      start: userAddress(start),
      last: userAddress(end - 1n),
      readable: perm[0] === 'r',
      writable: perm[1] === 'w',
      shared: perm[3] === 's',
    }),
  ),
);

/** Whether each begins after the end of the previous one. */
export const areAscending = (mappings: readonly RecordedMapping[]): boolean => {
  for (let index = 1; index < mappings.length; index += 1) {
    const [before, after] = [mappings[index - 1], mappings[index]];
    if (before === undefined || after === undefined || after.start <= before.last) return false;
  }
  return true;
};

export const mappings: v.GenericSchema<unknown, readonly RecordedMapping[]> = v.pipe(
  list(mapping, MAPPINGS_MAX),
  v.check((found) => areAscending(found), 'must be in ascending order, and not overlap'),
);
