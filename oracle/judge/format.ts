// SPDX-License-Identifier: MIT
// What is read of a line of a file that can be judged, whatever the file's format is.

import type { World } from '../../spec/state/world.ts';
import type { Line } from '../trace/line.ts';
import type { TraceFailure } from '../trace/trace-file.ts';
import type { JudgedCall } from './verdict.ts';

/** The world after a line, and its call if it has one. After a violation, the world before it. */
export type Taken = {
  readonly world: World;
  readonly judged?: JudgedCall;
  /** Why the line was skipped. */
  readonly skipped?: string;
};

/** The kind of violation that a trace records, and the subject. */
export type RecordedFailure = {
  readonly kind: TraceFailure['kind'];
  readonly subject: string | undefined;
};

/** Reads the lines of one format. */
export type Format = {
  readonly name: 'recording' | 'trace' | 'strace';
  /** Whether the first line only says what the file is. */
  readonly hasHeader: boolean;
  /** Undefined if the file does not state it. */
  readonly release: string | undefined;
  readonly start: World;
  /** Takes a line after the first. Throws BadInput if it does not fit the format. */
  readonly take: (world: World, line: Line) => Taken;
  /** Whether the line, after a violation, is a call. */
  readonly isCall: (line: Line) => boolean;
  /** Called after the last line. */
  readonly end: (line: number) => void;
  /** The violation that the last line of a trace records; undefined for a recording. */
  readonly recordedFailure: () => RecordedFailure | undefined;
};
