// The thread that starts, traces and records the program. It waits for the program all the time, which the thread that
// hears of signals must not.

import { parentPort, workerData } from 'node:worker_threads';
import { hasEveryCapability } from './proc-files.ts';
import { Recorder } from './recorder.ts';
import { RecordingLines } from './recording-lines.ts';
import { startProgram } from './start.ts';
import { Tracer } from './tracer.ts';

export type RecordingTask = {
  readonly file: string;
  readonly words: readonly string[];
  /** Stop the program at every call, not only at those of interest. */
  readonly everyCall: boolean;
};

export type RecordingNews =
  | { readonly kind: 'started'; readonly process: number }
  | { readonly kind: 'not permitted'; readonly errno: number }
  | {
      readonly kind: 'ended';
      /** Undefined where the program could not be executed. */
      readonly exit: number | undefined;
      readonly privileged: boolean;
      readonly lines: number;
      readonly isFiltered: boolean;
    };

const task = workerData as RecordingTask;
const tell = (news: RecordingNews): void => parentPort?.postMessage(news);

const lines = new RecordingLines(task.file);
const started = startProgram(task.words);
if (started.kind === 'not permitted') tell(started);
else {
  tell(started);
  let privileged = false;
  const recorder = new Recorder(lines, (process) => {
    privileged = hasEveryCapability(process);
  });
  const tracer = new Tracer(started.process, recorder, !task.everyCall);
  const exit = tracer.run();
  lines.flush();
  const { isFiltered } = tracer;
  tell({ kind: 'ended', exit, privileged, lines: lines.count, isFiltered });
}
