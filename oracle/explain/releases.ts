// SPDX-License-Identifier: MIT
// The releases whose rules are used for a version of Linux.

import {
  FIRST_VERSION,
  RELEASE_NAMES,
  type ReleaseName,
  versionOf,
} from '../../spec/terms/releases.ts';
import { parseVersion } from '../../spec/terms/version.ts';
import { assumedRelease } from '../text/assumed-release.ts';
import { listed } from '../text/quantities.ts';

export type Assumed = {
  readonly releases: readonly ReleaseName[];
  /** A sentence that says what is assumed. */
  readonly note: string;
};

/** "7.2", "6.14.0-29-generic"; undefined if the text is not a version. */
export const assumedFor = (version: string | undefined): Assumed | undefined => {
  if (version === undefined) {
    return {
      releases: RELEASE_NAMES,
      note: `No release is given: the rules of ${listed(RELEASE_NAMES)} are used.`,
    };
  }
  if (parseVersion(version) === undefined) return undefined;
  if (versionOf(version) === undefined) {
    const note = `${version} is older than ${FIRST_VERSION}, the first that is specified, whose rules are used.`;
    return { releases: [FIRST_VERSION], note };
  }
  return { releases: [version], note: assumedRelease(version) ?? `Release ${version}.` };
};
