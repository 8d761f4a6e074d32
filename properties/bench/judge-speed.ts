// SPDX-License-Identifier: MIT
// How fast a plain recording is judged, reading included, and whether memory grows with its length.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type JudgeOptions, judgeFile } from '../../oracle/cli/judge-file.ts';
import { writeLongRecording } from './long-recording.ts';
import { type Measured, median, seconds } from './measured.ts';

const QUIET: JudgeOptions = {
  verbosity: 'brief',
  signal: new AbortController().signal,
  onProgress: () => {},
};

const CALLS = 250_000;
const ROUNDS = 5;

const withRecording = async <T>(
  calls: number,
  use: (path: string, calls: number) => Promise<T>,
): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    const path = join(folder, 'long.jsonl');
    return await use(path, await writeLongRecording(path, calls));
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** Seconds that judging the file takes, `rounds` times. */
const timesOf = async (path: string, rounds: number): Promise<readonly number[]> => {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    times.push(
      await seconds(async () => {
        const { violation, badInput } = await judgeFile(path, QUIET);
        if (violation !== undefined || badInput !== undefined) {
          throw new Error(
            'The long recording is not accepted; a round does not begin as the first.',
          );
        }
      }),
    );
  }
  return times;
};

export const judgeSpeed = (): Promise<readonly Measured[]> =>
  withRecording(CALLS, async (path, calls) => [
    {
      what: 'judge, from a plain recording',
      value: calls / median(await timesOf(path, ROUNDS)),
      unit: 'calls/s',
      note: `${calls} calls, median of ${ROUNDS}; 200 000 are asked for`,
    },
  ]);

/** Seconds to judge a recording of at least so many calls, and how many it has. */
export const judgeTime = (
  least: number,
): Promise<{ readonly calls: number; readonly time: number }> =>
  withRecording(least, async (path, calls) => ({ calls, time: median(await timesOf(path, 3)) }));

const MIB = 1 << 20;
const SHORT = 100_000;
const LONG = 1_000_000;

/** Peak memory of a process of its own that judges the file, in MiB. */
const peakOf = (path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const program = join(fileURLToPath(import.meta.url), '..', 'judge-memory.js');
    execFile(process.execPath, [program, path], (error, out) => {
      if (error === null) resolve(Number(out) / MIB);
      else reject(error);
    });
  });

export const judgeMemory = async (): Promise<readonly Measured[]> => {
  const short = await withRecording(SHORT, peakOf);
  const long = await withRecording(LONG, peakOf);
  return [
    { what: `judge, memory at ${SHORT} calls`, value: short, unit: 'MiB', note: 'peak RSS' },
    { what: `judge, memory at ${LONG} calls`, value: long, unit: 'MiB', note: 'peak RSS' },
    {
      what: 'judge, growth between them',
      value: long - short,
      unit: 'MiB',
      note: 'none is asked for',
    },
  ];
};
