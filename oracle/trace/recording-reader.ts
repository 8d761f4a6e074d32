// SPDX-License-Identifier: MIT
// Reads the lines of a recording after the header: calls, events from version 2 on, and the last line in version 3.

import { type Line, textOf } from './line.ts';
import { readJson } from './read-json.ts';
import { EVENTS, eventOf, type RecordedEvent } from './recorded-event.ts';
import { RecordedLineReader } from './recorded-line.ts';
import { RecordedOrder } from './recorded-order.ts';
import { CALLS, callOf, type RecordedCall, type RecordingHeader } from './recording.ts';
import { END, RecordingEnd } from './recording-end.ts';
import { kindOf } from './values.ts';

const CALL_LINE = kindOf('call', CALLS);
const FOLLOWED_LINE = kindOf('call', { ...CALLS, ...EVENTS });
const ENDED_LINE = kindOf('call', { ...CALLS, ...EVENTS, end: END });

const linesOf = ({ version, hasEnd }: RecordingHeader) =>
  hasEnd ? ENDED_LINE : version === 2 ? FOLLOWED_LINE : CALL_LINE;

export type RecordedItem =
  | { readonly kind: 'call'; readonly recorded: RecordedCall }
  | { readonly kind: 'event'; readonly event: RecordedEvent }
  | { readonly kind: 'end' };

export class RecordingReader {
  readonly #file: string;
  readonly #line: ReturnType<typeof linesOf>;
  readonly #calls = new RecordedLineReader();
  readonly #order: RecordedOrder;
  readonly #end: RecordingEnd;

  constructor(file: string, header: RecordingHeader) {
    this.#file = file;
    this.#line = linesOf(header);
    this.#end = new RecordingEnd(file, header);
    this.#order = new RecordedOrder(file, header.version);
  }

  /** Throws BadInput if the line does not fit the format, or is out of order. */
  take(line: Line): RecordedItem {
    this.#end.requireOpen(line.number);
    const item = this.#read(line);
    if (item.kind === 'end') return item;
    if (item.kind === 'call') {
      const { call, sequence } = item.recorded;
      this.#order.take(line.number, call.process, sequence);
      return item;
    }
    const { process, sequence, kind } = item.event;
    this.#order.take(line.number, process, sequence);
    if (kind === 'exit') this.#order.ended(process);
    return item;
  }

  /** After the last line, which has this number. Throws BadInput if it is the header, or the recording is cut. */
  end(line: number): void {
    this.#end.end(line);
  }

  #read(line: Line): RecordedItem {
    const { chunk, start, end, number } = line;
    // Most lines are calls as the recorder writes them: the fast path reads them.
    const recorded = this.#calls.read(chunk, start, end, number);
    if (recorded !== undefined) return { kind: 'call', recorded };
    const read = readJson(this.#line, this.#file, number, textOf(this.#file, line));
    switch (read.call) {
      case 'open':
      case 'close':
      case 'ioctl':
        return { kind: 'call', recorded: callOf(number, read) };
      case 'end':
        this.#end.take(number, read);
        return { kind: 'end' };
      default:
        return { kind: 'event', event: eventOf(read) };
    }
  }
}
