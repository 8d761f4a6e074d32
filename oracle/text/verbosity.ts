// SPDX-License-Identifier: MIT
// How much is shown: every limit, by name.

export type Verbosity = 'brief' | 'full';

/** Calls before a violation that are printed. */
export const ACCEPTED_CALLS_SHOWN = 6;

/** Whether the calls of a printed program are listed again, with their rules. */
export const repeatsCalls = (verbosity: Verbosity): boolean => verbosity === 'full';

/** Fields that a call wrote, in a one-line call. */
export const CHANGES_IN_LINE = 4;

/** Areas of an IOVA map that are printed on each side of a range. */
export const areasBeside = (verbosity: Verbosity): number => (verbosity === 'full' ? 20 : 4);

/** Areas that are printed of an IOAS without such a range. */
export const areasElsewhere = (verbosity: Verbosity): number => (verbosity === 'full' ? 40 : 6);

/** Areas that overlap a range and are printed; of more, only the first and the last ones. */
export const AREAS_MEETING_SHOWN = 12;

/** Mappings of the program's memory that are printed on each side of an address. */
export const MAPPINGS_BESIDE = 2;

export const objectsShown = (verbosity: Verbosity): number => (verbosity === 'full' ? 200 : 24);

export const descriptorsShown = (verbosity: Verbosity): number => (verbosity === 'full' ? 200 : 12);

/** Bytes of a buffer that are printed as hexadecimal digits. */
export const BUFFER_BYTES_SHOWN = 32;

/** The same, in a one-line operation. */
export const BYTES_IN_LINE = 8;

/** Rules with the observed errno that are printed. */
export const rulesWithErrno = (verbosity: Verbosity): number => (verbosity === 'full' ? 40 : 8);

/** Hidden differences that are printed. */
export const hiddenDifferencesShown = (verbosity: Verbosity): number =>
  verbosity === 'full' ? 100 : 6;

/** Lines of a kernel's log that are printed. */
export const logLinesShown = (verbosity: Verbosity): number => (verbosity === 'full' ? 400 : 40);

/** Whether the reasons for calls that were not judged are listed. */
export const showsReasons = (verbosity: Verbosity): boolean => verbosity === 'full';

/** Whether reserved fields that are 0 are printed too. */
export const showsIdleFields = (verbosity: Verbosity): boolean => verbosity === 'full';

/** Whether the rules that a campaign did not reach are listed, or only counted. */
export const showsUnreachedRules = (verbosity: Verbosity): boolean => verbosity === 'full';
