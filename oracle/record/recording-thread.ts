// SPDX-License-Identifier: MIT
// The thread that starts, traces and records the program. It blocks in wait, which the thread that handles signals
// must not do.

import { parentPort, workerData } from 'node:worker_threads';
import { reasonOf } from '../files/reason.ts';
import { jsonLine } from '../trace/json-line.ts';
import { GuardedListener } from './guarded-listener.ts';
import { hasEveryCapability } from './proc-files.ts';
import { Recorder } from './recorder.ts';
import { type LineFields, RecordingLines } from './recording-lines.ts';
import { startProgram } from './start.ts';
import { Tracer } from './tracer.ts';

export type RecordingTask = {
  /** Open for writing, empty. */
  readonly descriptor: number;
  readonly isCompressed: boolean;
  /** Without the fields that are known only when the program runs. */
  readonly header: LineFields;
  readonly words: readonly string[];
  /** Stop the program at every call, not only at recorded ones. */
  readonly everyCall: boolean;
};

export type RecordingNews =
  | { readonly kind: 'started'; readonly process: number }
  | { readonly kind: 'not permitted'; readonly errno: number }
  | { readonly kind: 'unwritable'; readonly reason: string }
  | {
      readonly kind: 'ended';
      /** Undefined where the program could not be executed. */
      readonly exit: number | undefined;
      /** Whether the recording has its header. */
      readonly isBegun: boolean;
      readonly lines: number;
      /** Why the recording is not whole. */
      readonly cut: string | undefined;
    };

const { descriptor, isCompressed, header, words, everyCall } = workerData as RecordingTask;
const report = (news: RecordingNews): void => parentPort?.postMessage(news);

const withPrivilege = (privileged: boolean): LineFields => ({ ...header, privileged });

/** Checked before the program starts: without a recording it need not run. */
const linesIn = (): RecordingLines | undefined => {
  try {
    const length = Buffer.byteLength(jsonLine(withPrivilege(false)));
    return new RecordingLines(descriptor, isCompressed, length);
  } catch (error) {
    report({ kind: 'unwritable', reason: reasonOf(error) });
    return undefined;
  }
};

const lines = linesIn();
if (lines !== undefined) {
  const recorder = new Recorder(lines, (process) =>
    lines.begin(withPrivilege(hasEveryCapability(process))),
  );
  const listener = new GuardedListener(recorder, (reason) => lines.stop(reason));
  const started = startProgram(words);
  report(started);
  if (started.kind === 'started') {
    const exit = new Tracer(started.process, listener, !everyCall).run();
    if (exit !== undefined) lines.finish(exit);
    const { isBegun, count, cut } = lines;
    report({ kind: 'ended', exit, isBegun, lines: count, cut });
  }
}
