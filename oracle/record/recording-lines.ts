// The lines of a recording, each as its text, with their fields in the order that is read fastest. Kept in a file
// beside the recording until the header is known, which stands first and tells how the program ended.

import { createReadStream, createWriteStream, openSync, rmSync, writeSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { hexText, jsonLine } from '../trace/json-line.ts';

export type LineFields = Readonly<Record<string, unknown>>;

const FLUSH_AT = 1 << 16;

/** Where the lines are until the recording is whole. */
export const partOf = (file: string): string => `${file}.part`;

export class RecordingLines {
  count = 0;
  readonly #descriptor: number;
  readonly #sequences = new Map<number, number>();
  #waiting = '';

  /** Throws where the file cannot be made. */
  constructor(file: string) {
    this.#descriptor = openSync(partOf(file), 'w', 0o600);
  }

  add(process: number, thread: number | undefined, fields: LineFields): void {
    const seq = this.#sequences.get(process) ?? 0;
    this.#sequences.set(process, seq + 1);
    this.count += 1;
    const caller = thread === undefined ? { pid: process } : { pid: process, tid: thread };
    this.#waiting += `${jsonLine({ seq, ...caller, ...fields })}\n`;
    if (this.#waiting.length > FLUSH_AT) this.flush();
  }

  flush(): void {
    for (let rest = Buffer.from(this.#waiting); rest.length > 0; ) {
      rest = rest.subarray(writeSync(this.#descriptor, rest));
    }
    this.#waiting = '';
  }
}

export const hex = (value: bigint | number): string => hexText(BigInt(value));

/** The recording: the header, and behind it the lines; compressed where the name says so. */
export const writeRecording = async (file: string, header: LineFields): Promise<void> => {
  async function* text(): AsyncGenerator<Buffer> {
    yield Buffer.from(`${jsonLine(header)}\n`);
    yield* createReadStream(partOf(file)) as AsyncIterable<Buffer>;
  }
  const target = createWriteStream(file);
  if (file.endsWith('.gz')) await pipeline(text, createGzip(), target);
  else await pipeline(text, target);
  rmSync(partOf(file));
};
