// SPDX-License-Identifier: MIT
// A verb prints one format.

import { BadUse } from './bad-use.ts';

/** Throws BadUse if the options ask for two formats. */
export const requireOneFormat = ({
  json,
  ktap,
}: {
  readonly json?: true;
  readonly ktap?: true;
}): void => {
  if (json === true && ktap === true) {
    throw new BadUse('--json and --ktap are two formats of the output: leave out one.');
  }
};
