// SPDX-License-Identifier: MIT
// What the process that runs the tests and its workers say to each other, and how a suite's output ends.

export type Suite = {
  /** The path below properties/, without its ending. */
  readonly name: string;
  /** The compiled module, as an absolute path. */
  readonly file: string;
};

/** Numbers of tests. */
export type Tally = {
  readonly total: number;
  readonly passed: number;
  readonly skipped: number;
};

export const NO_TESTS: Tally = { total: 0, passed: 0, skipped: 0 };

export const sumOf = (one: Tally, other: Tally): Tally => ({
  total: one.total + other.total,
  passed: one.passed + other.passed,
  skipped: one.skipped + other.skipped,
});

/** To a worker: the suite to run next, and the rules that earlier suites reached. */
export type Order = { readonly suite: Suite; readonly reached: readonly string[] };

/** To a worker: there is no other suite. */
export const NO_MORE = 'no more';

/** From a worker, once for each suite. */
export type Outcome = {
  readonly tally: Tally;
  /** The ids of all rules that gave a reply in this worker up to now. */
  readonly reached: readonly string[];
  /** Seconds that the suite took: by the clock, and of this process's CPU. */
  readonly seconds: number;
  readonly cpuSeconds: number;
};

/** What a worker prints behind each suite: the outcome goes another path, and may be there before the output is. */
export const END_OF_OUTPUT = '\u001e';
