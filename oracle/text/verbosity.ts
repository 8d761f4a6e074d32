// SPDX-License-Identifier: MIT
// Every decision on how much is shown, by name.

export type Verbosity = 'brief' | 'full';

/** Calls before a violation that are printed. */
export const ACCEPTED_CALLS_SHOWN = 6;

/** Whether the calls of a program that is printed are listed once more, with their rules. */
export const repeatsCalls = (verbosity: Verbosity): boolean => verbosity === 'full';

/** Fields that a call wrote, in a line about a call. */
export const CHANGES_IN_LINE = 4;

/** Areas of an IOVA map that are printed on each side of the point of interest. */
export const areasBeside = (verbosity: Verbosity): number => (verbosity === 'full' ? 20 : 4);

/** Of an IOAS at which nothing points, this many areas are printed. */
export const areasElsewhere = (verbosity: Verbosity): number => (verbosity === 'full' ? 40 : 6);

/** Areas between two points of interest that are printed; of more, only those beside the points. */
export const AREAS_MEETING_SHOWN = 12;

/** Mappings of the program's memory that are printed on each side of an address. */
export const MAPPINGS_BESIDE = 2;

export const objectsShown = (verbosity: Verbosity): number => (verbosity === 'full' ? 200 : 24);

export const descriptorsShown = (verbosity: Verbosity): number => (verbosity === 'full' ? 200 : 12);

/** Bytes of a buffer that are printed as hexadecimal digits. */
export const BUFFER_BYTES_SHOWN = 32;

/** The same, within a line about an operation. */
export const BYTES_IN_LINE = 8;

/** Rules with the errno that was seen which are printed. */
export const rulesWithErrno = (verbosity: Verbosity): number => (verbosity === 'full' ? 40 : 8);

/** Hidden differences that are printed. */
export const hiddenDifferencesShown = (verbosity: Verbosity): number =>
  verbosity === 'full' ? 100 : 6;

/** Lines of a kernel's log that are printed. */
export const logLinesShown = (verbosity: Verbosity): number => (verbosity === 'full' ? 400 : 40);

/** Whether the reasons for calls that were not judged are listed. */
export const showsReasons = (verbosity: Verbosity): boolean => verbosity === 'full';

/** Whether fields that say nothing are printed too: reserved ones that are 0. */
export const showsIdleFields = (verbosity: Verbosity): boolean => verbosity === 'full';

/** Whether the rules that a campaign did not reach are listed, or only counted. */
export const showsUnreachedRules = (verbosity: Verbosity): boolean => verbosity === 'full';
