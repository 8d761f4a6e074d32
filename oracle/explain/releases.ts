// SPDX-License-Identifier: MIT
// The specified releases whose rules are used for a version of Linux.

import { RELEASE_NAMES, type ReleaseName } from '../../spec/terms/releases.ts';
import { listed } from '../text/quantities.ts';

export type Assumed = {
  readonly releases: readonly ReleaseName[];
  /** A sentence that says what is assumed. */
  readonly note: string;
};

const parts = (version: string): readonly number[] | undefined => {
  const found = /^v?(\d{1,3})\.(\d{1,4})(?:\.(\d{1,5}))?(?![\d.])/.exec(version);
  return found === null ? undefined : found.slice(1).map((part) => Number(part ?? 0));
};

const compare = (a: readonly number[], b: readonly number[]): number => {
  const at = a.findIndex((part, index) => part !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
};

/** "7.2", "6.14.0-29-generic"; undefined if the text is not a version. Both neighbours of a version between two releases. */
export const assumedFor = (version: string | undefined): Assumed | undefined => {
  if (version === undefined) {
    return {
      releases: RELEASE_NAMES,
      note: `No release is given: the rules of ${listed(RELEASE_NAMES)} are used.`,
    };
  }
  const given = parts(version);
  if (given === undefined) return undefined;
  const order = RELEASE_NAMES.map((name) => ({ name, by: compare(parts(name) ?? [], given) }));
  const before = order.filter(({ by }) => by <= 0).at(-1);
  const after = order.find(({ by }) => by >= 0);
  const releases = [
    ...new Set([before, after].flatMap((one) => (one === undefined ? [] : [one.name]))),
  ];
  const [only] = releases;
  if (releases.length === 1 && before === after) return { releases, note: `Release ${only}.` };
  const note =
    releases.length === 1
      ? `${version} is not specified: the rules of the nearest release, ${only}, are used.`
      : `${version} is not specified: the rules of its neighbours, ${listed(releases)}, are used.`;
  return { releases, note };
};
