// SPDX-License-Identifier: MIT
// Progress of long work on standard error: a bar on a terminal, elsewhere a plain line every few seconds. Quick work
// shows none.

import cliProgress from 'cli-progress';
import { grouped } from '../text/quantities.ts';
import { visible } from '../text/visible.ts';
import type { Output } from './output.ts';

export type Progress = {
  /** `done` of the total; `note` has a few words more. */
  readonly at: (done: number, note: string) => void;
  /** Hides the bar before something is printed; the next `at` shows it again. */
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
      output.error(`${grouped(done)} of ${grouped(total)} ${unit}, ${visible(note)}`);
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
      const shown = { note: visible(note) };
      if (isShown) bar.update(done, shown);
      else bar.start(total, done, shown);
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

/** Work in stages of unknown length. */
export type Stages = {
  /** The next stage, in a few words. */
  readonly report: (stage: string) => void;
  /** The progress within the stage, in a few words; shown on a terminal only. */
  readonly at: (note: string) => void;
  readonly hide: () => void;
};

const CLEAR_LINE = '\r\u001b[K';
const STAGE_INTERVAL = 120;

/** On a terminal, one line that changes; elsewhere, one line for each stage. */
export const startStages = (output: Output): Stages => {
  if (!output.isWatched) return { report: output.error, at: () => {}, hide: () => {} };
  const { stderr } = process;
  let stage = '';
  let last = 0;
  const show = (text: string): void => {
    stderr.write(`${CLEAR_LINE}${text.slice(0, Math.max(20, (stderr.columns ?? 80) - 1))}`);
  };
  return {
    report: (next) => {
      stage = next;
      show(stage);
    },
    at: (note) => {
      if (Date.now() - last < STAGE_INTERVAL) return;
      last = Date.now();
      show(visible(`${stage}: ${note}`));
    },
    hide: () => {
      stderr.write(CLEAR_LINE);
    },
  };
};
