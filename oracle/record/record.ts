// SPDX-License-Identifier: MIT
// Records one run of a program into a file: starts the recording thread, forwards signals to the program, and saves the
// recording when the program has ended.

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Platform } from '../../spec/terms/platform.ts';
import { reasonOf } from '../files/reason.ts';
import { beginReplacing, type Replacement } from '../files/replacement.ts';
import { saveFile } from '../files/save-file.ts';
import { targetOf } from '../files/target.ts';
import { describeMachine } from '../subjects/kernel/machine-description.ts';
import { platformOfMachine } from '../subjects/kernel/platform.ts';
import { hex, type LineFields } from './recording-lines.ts';
import type { RecordingNews, RecordingTask } from './recording-thread.ts';

export type Recorded =
  | {
      readonly kind: 'recorded';
      readonly exit: number;
      readonly lines: number;
      /** The path of the recording; undefined if there is none. */
      readonly path: string | undefined;
      /** Why it ends before the program did. */
      readonly cut: string | undefined;
      /** Why it could not be saved under the requested path. */
      readonly unsaved: string | undefined;
    }
  | { readonly kind: 'not permitted'; readonly errno: number }
  | { readonly kind: 'not a program' }
  /** Nothing was run. */
  | { readonly kind: 'unwritable'; readonly reason: string };

/** A platform as in docs/recording-format.md. All devices of a recording share the reserved ranges. */
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

const PARAMETERS = '/sys/module/vfio_iommu_type1/parameters';

/** A parameter of vfio_iommu_type1; undefined where the module is not there or it cannot be read. */
const parameter = (name: string): string | undefined => {
  try {
    return readFileSync(`${PARAMETERS}/${name}`, 'utf8').trim();
  } catch {
    return undefined;
  }
};

/** Facts that decide replies and that the system states. */
const statedLine = (): LineFields => {
  const limit = parameter('dma_entry_limit');
  return limit !== undefined && /^\d+$/.test(limit) ? { dmaEntryLimit: Number(limit) } : {};
};

const headerOf = (words: readonly string[]): LineFields => ({
  format: 'iommufd-recording',
  version: 3,
  release: release(),
  arch: 'x86-64',
  pageSize: 4096,
  ...statedLine(),
  // Read before the program runs, because it may change them.
  platform: platformLine(platformOfMachine(describeMachine())),
  program: words.join(' '),
});

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs the thread to its end; resolves to its last message. */
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

type Ended = Extract<RecordingNews, { kind: 'ended' }>;

/** The file for the lines while the program runs, and how it is saved. */
type Destination = {
  readonly lines: Replacement;
  readonly finish: (ended: Ended) => Promise<string>;
};

const BLOCK = 1 << 20;
/** Permissions in the folder for temporary files. */
const PRIVATE = 0o600;

function* bytesOf(path: string): Generator<Uint8Array> {
  const descriptor = openSync(path, 'r');
  try {
    const block = new Uint8Array(BLOCK);
    for (;;) {
      const count = readSync(descriptor, block);
      if (count === 0) return;
      yield block.subarray(0, count);
    }
  } finally {
    closeSync(descriptor);
  }
}

/**
 * A plain file is replaced, but never a complete recording by one that is cut. Another file gets the recording when the
 * program has ended, so that no reader delays it. Throws if the file cannot be written.
 */
const destinationFor = (file: string): Destination => {
  const target = targetOf(file);
  if (target.kind === 'plain') {
    const lines = beginReplacing(target);
    return {
      lines,
      finish: async ({ cut }) => {
        if (cut !== undefined && target.before !== undefined) return lines.putBeside();
        await lines.keep();
        return file;
      },
    };
  }
  const path = join(tmpdir(), 'recording.jsonl');
  const lines = beginReplacing({ kind: 'plain', path, before: undefined }, PRIVATE);
  return {
    lines,
    finish: async () => {
      await saveFile(file, bytesOf(lines.path));
      lines.discard();
      return file;
    },
  };
};

const put = async (
  { lines, finish }: Destination,
  ended: Ended,
): Promise<{ readonly path: string | undefined; readonly unsaved: string | undefined }> => {
  if (!ended.isBegun) {
    lines.discard();
    return { path: undefined, unsaved: undefined };
  }
  try {
    return { path: await finish(ended), unsaved: undefined };
  } catch (error) {
    // The recording cannot be repeated.
    const path = await lines.putBeside().catch(() => undefined);
    return { path, unsaved: reasonOf(error) };
  }
};

/** `words` are the program and its arguments. */
export const record = async (
  file: string,
  words: readonly string[],
  everyCall = false,
): Promise<Recorded> => {
  const header = headerOf(words);
  let place: Destination;
  try {
    place = destinationFor(file);
  } catch (error) {
    return { kind: 'unwritable', reason: reasonOf(error) };
  }
  const { descriptor, discard } = place.lines;
  const isCompressed = file.endsWith('.gz');
  const news = await traced({ descriptor, isCompressed, header, words, everyCall });
  if (news.kind === 'ended' && news.exit !== undefined) {
    const { exit, lines, cut } = news;
    return { kind: 'recorded', exit, lines, cut, ...(await put(place, news)) };
  }
  discard();
  return news.kind === 'not permitted' || news.kind === 'unwritable'
    ? news
    : { kind: 'not a program' };
};
