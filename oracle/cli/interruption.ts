// SPDX-License-Identifier: MIT
// SIGINT and SIGTERM end long work early, and its results are printed; a second signal ends the program at once.

export type Interruption = {
  readonly signal: AbortSignal;
  /** Restores the default action of the signals. */
  readonly release: () => void;
};

/** `onFirst` is called at the first one: some work takes a while to end. */
export const interruption = (onFirst?: () => void): Interruption => {
  const controller = new AbortController();
  const stop = (): void => {
    release();
    onFirst?.();
    controller.abort();
  };
  const release = (): void => {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return { signal: controller.signal, release };
};
