// SPDX-License-Identifier: MIT
// What is cleaned up when the process ends before its work is done: at an exit, and at a signal that nothing else heeds.

const INTERRUPTED = 130;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const cleanups = new Set<() => void>();

process.on('exit', () => {
  for (const cleanup of cleanups) cleanup();
});

/** By default a signal ends the process without an exit, and no cleanup would run. */
const endByDefault = (signal: NodeJS.Signals): void => {
  if (process.listenerCount(signal) === 1) process.exit(INTERRUPTED);
};

/** Asked before others that listen, as one that takes only the first signal is gone behind it. */
const watchSignals = (): void => {
  for (const signal of SIGNALS) {
    if (!process.listeners(signal).includes(endByDefault)) {
      process.prependListener(signal, endByDefault);
    }
  }
};

/** `cleanup` runs when the process ends, unless what is returned was called before. It must not throw. */
export const atEnd = (cleanup: () => void): (() => void) => {
  cleanups.add(cleanup);
  watchSignals();
  return () => {
    cleanups.delete(cleanup);
    if (cleanups.size > 0) return;
    for (const signal of SIGNALS) process.off(signal, endByDefault);
  };
};
