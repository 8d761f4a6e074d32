// SPDX-License-Identifier: MIT
// What strace writes before a call: the process, times, the number of the call, the instruction pointer.

import { PID_MAX } from '../trace/recording.ts';

export type Prefixed = {
  /** Absent where the line does not name a process. */
  readonly process: number | undefined;
  /** Whether the process is named as in a file of -o, where all lines name one. */
  readonly isColumn: boolean;
  readonly rest: string;
};

/** "[pid  1234] ", "[pid 1234<qemu>] " */
const BRACKETED = /^\[pid\s+(\d{1,7})(?:<[^>\]]{0,64}>)?\]\s+/;
/** "1234  ", "1234<qemu> " */
const COLUMN = /^(\d{1,7})(?:<[^>\s]{0,64}>)?\s+(?=\S)/;

/** -t, -tt, -ttt, -r, and both together: "12:34:56.123456 (+     0.000012) ". */
const TIMES: readonly RegExp[] = [
  /^\d{1,2}:\d\d:\d\d(?:\.\d{1,9})?\s+/,
  /^(?:\d{4}-\d\d-\d\dT[\d:.+Z-]{8,32})\s+/,
  /^\s*\d{1,20}\.\d{1,9}\s+/,
  /^\d{8,20}\s+/,
  /^\(\+\s*\d{1,20}(?:\.\d{1,9})?\)\s+/,
];

/** -n and -i: "[ 257] ", "[00007f5f2a1b3c4d] ", "[????????????????] ". */
const BRACKETS = /^\[\s*(?:\d{1,5}|[0-9a-f]{8,16}|\?{8,16})\]\s+/;

const withoutTimes = (text: string): string => {
  let rest = text;
  for (let round = 0; round < 2; round += 1) {
    for (const pattern of TIMES) rest = rest.replace(pattern, '');
  }
  return rest.replace(BRACKETS, '').replace(BRACKETS, '').trimStart();
};

const isProcess = (digits: string | undefined): boolean =>
  digits !== undefined && Number(digits) >= 1 && Number(digits) <= PID_MAX;

/** The line without what is before the call. */
export const withoutPrefix = (text: string): Prefixed => {
  const bracketed = BRACKETED.exec(text);
  if (bracketed !== null && isProcess(bracketed[1])) {
    const rest = withoutTimes(text.slice(bracketed[0].length));
    return { process: Number(bracketed[1]), isColumn: false, rest };
  }
  const column = COLUMN.exec(text);
  if (column !== null && isProcess(column[1])) {
    const rest = withoutTimes(text.slice(column[0].length));
    return { process: Number(column[1]), isColumn: true, rest };
  }
  return { process: undefined, isColumn: false, rest: withoutTimes(text) };
};
