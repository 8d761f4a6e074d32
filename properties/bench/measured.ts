// SPDX-License-Identifier: MIT
// One measured number.

export type Measured = {
  readonly what: string;
  readonly value: number;
  /** "calls/s", "MiB", "µs", "times". */
  readonly unit: string;
  /** How it was measured, and what is asked for. */
  readonly note?: string;
};

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
};

/** Seconds that something takes, by the clock. */
export const seconds = async (work: () => Promise<void>): Promise<number> => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};
