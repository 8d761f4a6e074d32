// Progress of long work on standard error: a bar on a terminal, elsewhere a plain line every few seconds. Quick work
// shows none.

import cliProgress from 'cli-progress';
import { grouped } from '../report/quantities.ts';
import type { Output } from './output.ts';

export type Progress = {
  /** `done` of the total; `note` says more in a few words. */
  readonly at: (done: number, note: string) => void;
  /** Out of the way of what is about to be printed; shown again with the next `at`. */
  readonly hide: () => void;
};

/** Milliseconds. */
const PLAIN_INTERVAL = 5000;
const BAR_DELAY = 700;

const plainProgress = (output: Output, total: number, unit: string): Progress => {
  let last = Date.now();
  return {
    at: (done, note) => {
      const now = Date.now();
      if (now - last < PLAIN_INTERVAL) return;
      last = now;
      output.error(`${grouped(done)} of ${grouped(total)} ${unit}, ${note}`);
    },
    hide: () => {},
  };
};

const barProgress = (total: number, unit: string): Progress => {
  const bar = new cliProgress.SingleBar({
    format: `{bar} {value} of {total} ${unit}, {note}`,
    barCompleteChar: '#',
    barIncompleteChar: '.',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    fps: 8,
  });
  let since = Date.now();
  let isShown = false;
  return {
    at: (done, note) => {
      if (!isShown && Date.now() - since < BAR_DELAY) return;
      if (isShown) bar.update(done, { note });
      else bar.start(total, done, { note });
      isShown = true;
    },
    hide: () => {
      if (isShown) bar.stop();
      isShown = false;
      since = Date.now();
    },
  };
};

export const startProgress = (output: Output, total: number, unit: string): Progress =>
  output.isWatched ? barProgress(total, unit) : plainProgress(output, total, unit);

/** For machines. */
export const NO_PROGRESS: Progress = { at: () => {}, hide: () => {} };
