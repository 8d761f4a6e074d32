// SPDX-License-Identifier: MIT
// The source packages that apt offers, and the choice among them.

/** A version of a package in a suite, as `apt-cache madison` lists it. */
export type Offer = {
  readonly name: string;
  /** Debian's, such as "7.3.4-1~bpo13+1". */
  readonly version: string;
  readonly suite: string;
};

/** A series ("7.3") or a release of it ("7.3.4"). */
export type Wanted = { readonly series: string; readonly release: string | undefined };

const WANTED = /^([0-9]+\.[0-9]+)(\.[0-9]+)?$/;

/** Undefined where the text is neither. */
export const parseWanted = (text: string): Wanted | undefined => {
  const [, series, patch] = WANTED.exec(text) ?? [];
  if (series === undefined) return undefined;
  return { series, release: patch === undefined ? undefined : `${series}${patch}` };
};

export const packageOf = ({ series }: Wanted): string => `linux-source-${series}`;

/** Lines of `apt-cache madison`: package, version, and source ("URI suite/component arch Packages"). */
export const parseOffers = (text: string): readonly Offer[] =>
  text.split('\n').flatMap((line) => {
    const [name, version, source] = line.split('|').map((part) => part.trim());
    const suite = source?.split(' ')[1]?.split('/')[0];
    return name === undefined || version === undefined || suite === undefined || suite === ''
      ? []
      : [{ name, version, suite }];
  });

/** The kernel's release in Debian's version: without the packaging's own part. */
export const releaseOf = ({ version }: Offer): string => version.split(/[-~+]/)[0] ?? version;

/** Chooses the requested version, else a specified release, else the first, which is the newest. */
export const chooseOffer = (
  offers: readonly Offer[],
  { release }: Wanted,
  suite: string | undefined,
  specified: readonly string[],
): Offer | undefined => {
  const fitting = offers.filter(
    (offer) =>
      (suite === undefined || offer.suite === suite) &&
      (release === undefined || releaseOf(offer) === release),
  );
  return fitting.find((offer) => specified.includes(releaseOf(offer))) ?? fitting[0];
};
