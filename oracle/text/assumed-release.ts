// SPDX-License-Identifier: MIT
// What is assumed of a kernel whose release was not tried against the specification.

import { RELEASE_NAMES, undecidedChanges, versionOf } from '../../spec/terms/releases.ts';
import { compareToMainline } from '../../spec/terms/version.ts';
import { count } from './quantities.ts';

const OLDEST = '6.12';
const NEWEST = '7.3';

/** A sentence; undefined for a specified release. */
export const assumedRelease = (name: string): string | undefined => {
  const version = versionOf(name);
  if (version === undefined || RELEASE_NAMES.some((known) => known === name)) return undefined;
  if (compareToMainline(version, NEWEST) > 0) {
    return `Linux ${name} is judged as ${RELEASE_NAMES.at(-1)}, the newest that is specified: what disagrees is a change since ${NEWEST} or a defect.`;
  }
  const { size } = undecidedChanges(name);
  const undecided =
    size === 0
      ? 'Its version decides every change.'
      : `Its version does not decide ${count(size, 'change')}: either answer is right until a reply shows one.`;
  const basis =
    compareToMainline(version, OLDEST) < 0
      ? `as ${RELEASE_NAMES[0]} without the calls that came later; it was not tried`
      : 'by the changes that its version has; it was not tried';
  return `Linux ${name} is judged ${basis}. ${undecided}`;
};
