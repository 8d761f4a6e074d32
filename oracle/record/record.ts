// Records one run of a program into a file: starts the thread that does it, hands signals on to the program, and puts
// the header before what was recorded.

import { rmSync } from 'node:fs';
import { release } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Platform } from '../../spec/terms/platform.ts';
import { describeMachine } from '../subjects/kernel/machine-description.ts';
import { platformOfMachine } from '../subjects/kernel/platform.ts';
import { hex, type LineFields, partOf, writeRecording } from './recording-lines.ts';
import type { RecordingNews, RecordingTask } from './recording-thread.ts';

export type Recorded =
  | { readonly kind: 'recorded'; readonly exit: number; readonly lines: number }
  | { readonly kind: 'not permitted'; readonly errno: number }
  | { readonly kind: 'not a program' };

/** As docs/recording-format.md has platforms. All devices of a recording share what is reserved. */
const platformLine = ({ name, iommus, devices }: Platform): LineFields => {
  const [iommu] = iommus;
  const deviceLines = devices.map((device) => ({
    bdf: device.name,
    group: device.group,
    ...(device.cdev === undefined ? {} : { cdev: device.cdev }),
    ...(typeof device.iommu === 'number' ? {} : { iommu: device.iommu }),
  }));
  if (iommu === undefined) return devices.length === 0 ? { name } : { name, devices: deviceLines };
  const translated = devices.find((device) => typeof device.iommu === 'number');
  const { aperture, pageSizes, enforcesCacheCoherency, driver } = iommu;
  return {
    name,
    ...(driver === undefined ? {} : { driver }),
    pageSizes: hex(pageSizes),
    aperture: [hex(aperture.start), hex(aperture.last)],
    reserved: translated?.reserved.map(({ start, last }) => [hex(start), hex(last)]) ?? [],
    cacheCoherency: enforcesCacheCoherency,
    devices: deviceLines,
  };
};

const headerOf = (
  platform: LineFields,
  words: readonly string[],
  { exit, privileged }: Extract<RecordingNews, { kind: 'ended' }>,
): LineFields => ({
  format: 'iommufd-recording',
  version: 2,
  release: release(),
  arch: 'x86-64',
  pageSize: 4096,
  privileged,
  platform,
  program: words.join(' '),
  exit,
});

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs the thread to its end: its last news. */
const traced = (task: RecordingTask): Promise<RecordingNews> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./recording-thread.js', import.meta.url), {
      workerData: task,
    });
    let program: number | undefined;
    const handOn = (signal: NodeJS.Signals): void => {
      // The program may be gone already.
      if (program !== undefined)
        try {
          process.kill(program, signal);
        } catch {}
    };
    for (const signal of SIGNALS) process.on(signal, handOn);
    worker.on('message', (news: RecordingNews) => {
      if (news.kind === 'started') program = news.process;
      else resolve(news);
    });
    worker.on('error', reject);
    worker.on('exit', () => {
      for (const signal of SIGNALS) process.off(signal, handOn);
      reject(new Error('The recording thread ended before the program.'));
    });
  });

/** `words` are the program and its arguments. */
export const record = async (
  file: string,
  words: readonly string[],
  everyCall = false,
): Promise<Recorded> => {
  // Before the program runs, which may change what there is.
  const platform = platformLine(platformOfMachine(describeMachine()));
  const news = await traced({ file, words, everyCall });
  if (news.kind !== 'ended' || news.exit === undefined) {
    rmSync(partOf(file), { force: true });
    return news.kind === 'not permitted' ? news : { kind: 'not a program' };
  }
  await writeRecording(file, headerOf(platform, words, news));
  return { kind: 'recorded', exit: news.exit, lines: news.lines };
};
