// SPDX-License-Identifier: MIT
// How long each suite took, as `npm test -- --timings` prints it.

import type { Finished } from './worker-process.ts';

/** A line for each suite, those that took most CPU first; programs that a suite starts count by the clock only. */
export const timingsText = (all: readonly Finished[]): string => {
  const lines = all
    .flatMap(({ suite, outcome }) => (outcome === undefined ? [] : [{ ...outcome, ...suite }]))
    .sort((one, other) => other.cpuSeconds - one.cpuSeconds)
    .map(
      ({ cpuSeconds, seconds, name }) =>
        `${cpuSeconds.toFixed(1).padStart(8)} ${seconds.toFixed(1).padStart(8)}  ${name}\n`,
    );
  return `     CPU    clock  seconds of each suite\n${lines.join('')}`;
};
