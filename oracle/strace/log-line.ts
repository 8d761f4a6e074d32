// SPDX-License-Identifier: MIT
// What a line of a log says, with calls that strace cuts in two put together again.

import { LINE_BYTES_MAX } from '../trace/limits.ts';
import { withoutPrefix } from './line-prefix.ts';
import { ATTACHED, ENDED, RESUMED, SIGNAL, UNFINISHED } from './recognise.ts';
import { type SplitCall, splitCall } from './split-call.ts';
import { type LoggedResult, resultIn } from './values.ts';

/** A call that returned. */
export type FinishedCall = {
  readonly name: string;
  readonly arguments: readonly string[];
  readonly result: LoggedResult;
  /** Lines of other processes lie between its beginning and its end. */
  readonly isSplit: boolean;
};

export type LogLine =
  | { readonly kind: 'call'; readonly process: number | undefined; readonly call: FinishedCall }
  /** A call that another line ends, as far as this one has it. */
  | { readonly kind: 'begins'; readonly process: number | undefined; readonly call: SplitCall }
  | { readonly kind: 'ended'; readonly process: number | undefined }
  | { readonly kind: 'attached'; readonly child: number }
  | { readonly kind: 'nothing' }
  /** `mayBeCall`: it may have a call, or stand for some. */
  | { readonly kind: 'unclear'; readonly mayBeCall: boolean };

/** How many processes may have an unfinished call at once. */
const OPEN_MAX = 4096;

/** What -c appends, what strace itself says, and stack traces of -k. */
const OF_STRACE =
  /^\s*(?:% time|------|[\d.]+\s+[\d.]+\s+\d+\s+\d+\s|strace: (?!Process)|> \S+\(|> \S+ \[)/;

/** Text in which a call may be: behind what a program wrote without a line end, or where lines were left out. */
const MAY_BE_CALL = /[a-z_0-9]\(|^\W*\.\.\.\W*$/;

const NOTHING: LogLine = { kind: 'nothing' };

export class LogLines {
  /** The beginning of a call, by process. */
  readonly #begun = new Map<number | undefined, string>();
  /** A line that strace broke with a message, which names no process. */
  #broken: { readonly process: number | undefined; readonly text: string } | undefined;
  #hasColumn = false;

  /** Whether every line names its process, as in a file of -f and -o. */
  get namesProcesses(): boolean {
    return this.#hasColumn;
  }

  /** What the line says. A line in which a process is attached may have two parts. */
  take(text: string): readonly LogLine[] {
    if (OF_STRACE.test(text)) return [NOTHING];
    const { process, isColumn, rest } = withoutPrefix(text.trimEnd());
    if (isColumn) this.#hasColumn = true;
    const attached = ATTACHED.exec(rest);
    if (attached === null) return [this.#line(process, rest)];
    const child: LogLine = { kind: 'attached', child: Number(attached[1]) };
    const before = rest.slice(0, attached.index);
    if (before.trim() === '') return [child];
    const call = splitCall(before);
    if (call === undefined) return [child, { kind: 'unclear', mayBeCall: true }];
    this.#broken = { process, text: before };
    return [{ kind: 'begins', process, call }, child];
  }

  #line(process: number | undefined, rest: string): LogLine {
    if (rest === '' || SIGNAL.test(rest)) return NOTHING;
    if (ENDED.test(rest)) {
      this.#begun.delete(process);
      return { kind: 'ended', process };
    }
    const resumed = RESUMED.exec(rest);
    if (resumed !== null) return this.#resumed(process, resumed, rest);
    const call = splitCall(rest);
    if (call === undefined) return this.#continued(process, rest);
    this.#broken = undefined;
    if (call.result !== undefined) return this.#finished(process, call, false);
    if (!UNFINISHED.test(rest)) return { kind: 'unclear', mayBeCall: true };
    return this.#begins(process, rest.replace(UNFINISHED, ''));
  }

  #begins(process: number | undefined, text: string): LogLine {
    const call = splitCall(text);
    if (call === undefined || this.#begun.size >= OPEN_MAX) {
      return { kind: 'unclear', mayBeCall: true };
    }
    this.#begun.set(process, text);
    return { kind: 'begins', process, call };
  }

  #resumed(process: number | undefined, match: RegExpExecArray, rest: string): LogLine {
    const begun = this.#begun.get(process);
    this.#begun.delete(process);
    const end = rest.slice(match[0].length);
    const name = match[1] as string;
    // Without its beginning nothing is known of its arguments.
    const text = begun?.startsWith(`${name}(`) === true ? begun : `${name}(`;
    if (text.length + end.length > LINE_BYTES_MAX) return { kind: 'unclear', mayBeCall: true };
    if (UNFINISHED.test(end)) return this.#begins(process, text + end.replace(UNFINISHED, ''));
    const call = splitCall(text + end);
    return call?.result === undefined
      ? { kind: 'unclear', mayBeCall: true }
      : this.#finished(process, call, true);
  }

  /** The end of a line that strace broke, or none of a log. */
  #continued(process: number | undefined, rest: string): LogLine {
    const broken = this.#broken;
    this.#broken = undefined;
    if (broken !== undefined && process === undefined) {
      const text = broken.text + rest;
      if (UNFINISHED.test(text)) return this.#begins(broken.process, text.replace(UNFINISHED, ''));
      const call = splitCall(text);
      if (call?.result !== undefined) return this.#finished(broken.process, call, true);
    }
    return { kind: 'unclear', mayBeCall: MAY_BE_CALL.test(rest) };
  }

  #finished(process: number | undefined, call: SplitCall, isSplit: boolean): LogLine {
    const result = resultIn(call.result ?? '');
    if (result === undefined) return { kind: 'unclear', mayBeCall: true };
    const { name } = call;
    return { kind: 'call', process, call: { name, arguments: call.arguments, result, isSplit } };
  }
}
