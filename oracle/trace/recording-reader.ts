// Reads the lines of a recording behind its first: calls, from version 2 on events, each in its place, and in version 3 the
// last line.

import { BadInput } from './bad-input.ts';
import { type Line, textOf } from './line.ts';
import { parseEvent, type RecordedEvent } from './recorded-event.ts';
import { RecordedLineReader } from './recorded-line.ts';
import { RecordedOrder } from './recorded-order.ts';
import { parseCall, type RecordedCall, type RecordingHeader } from './recording.ts';
import { RecordingEnd } from './recording-end.ts';

export type RecordedItem =
  | { readonly kind: 'call'; readonly recorded: RecordedCall }
  | { readonly kind: 'event'; readonly event: RecordedEvent }
  | { readonly kind: 'end' };

export class RecordingReader {
  readonly #file: string;
  readonly #version: RecordingHeader['version'];
  readonly #calls = new RecordedLineReader();
  readonly #order: RecordedOrder;
  readonly #end: RecordingEnd;

  constructor(file: string, header: RecordingHeader) {
    const { version } = header;
    this.#file = file;
    this.#version = version;
    this.#end = new RecordingEnd(file, header);
    this.#order = new RecordedOrder(file, version);
  }

  /** Throws BadInput where the line does not fit the format, or is not the one that comes next. */
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

  /** Behind the last line, whose number this is. Throws BadInput where it is the header's, or the recording is cut. */
  end(line: number): void {
    this.#end.end(line);
    if (line > 1) return;
    throw new BadInput(this.#file, line, 'the recording is cut short: there is only its header');
  }

  #read(line: Line): RecordedItem {
    const { chunk, start, end, number } = line;
    // Most lines are calls as the recorder writes them, which need not be read as anything else.
    const recorded = this.#calls.read(chunk, start, end, number);
    if (recorded !== undefined) return { kind: 'call', recorded };
    const text = textOf(this.#file, line);
    if (this.#end.take(number, text)) return { kind: 'end' };
    const event = this.#version === 1 ? undefined : parseEvent(this.#file, number, text);
    return event === undefined
      ? { kind: 'call', recorded: parseCall(this.#file, number, text) }
      : { kind: 'event', event };
  }
}
