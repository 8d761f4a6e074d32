// SPDX-License-Identifier: MIT
// Lines of a file, plain or compressed, as a stream: the file is never in memory as a whole, and a line that is too
// long is refused before it is.

import { createReadStream, existsSync, type ReadStream, statSync } from 'node:fs';
import { BadInput } from './bad-input.ts';
import { BadCompression, isCompressed, unpacked } from './gunzip.ts';
import { LINE_BYTES_MAX } from './limits.ts';
import type { Line } from './line.ts';
import { lineEnd } from './line-ends.ts';

const NEWLINE = 0x0a;
const CHUNK = 1 << 18;

const opened = (file: string): ReadStream => {
  if (file === '-') return createReadStream('', { fd: 0, highWaterMark: CHUNK });
  if (!existsSync(file)) throw new BadInput(file, 0, 'there is no such file');
  if (statSync(file).isDirectory()) throw new BadInput(file, 0, 'this is a directory, not a file');
  return createReadStream(file, { highWaterMark: CHUNK });
};

/** A pipe may give its first bytes one by one; two of them show whether they are compressed. */
const HEAD = 2;

/** The file's bytes, unpacked if compressed. */
async function* bytesOf(file: string): AsyncGenerator<Buffer> {
  const stream = opened(file);
  const pieces: AsyncIterator<Buffer> = stream[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < HEAD) {
    const { value, done } = await pieces.next();
    if (done === true) break;
    head = Buffer.concat([head, value]);
  }
  async function* all(): AsyncGenerator<Buffer> {
    yield head;
    for (;;) {
      const { value, done } = await pieces.next();
      if (done === true) return;
      yield value;
    }
  }
  try {
    yield* isCompressed(head) ? unpacked(all()) : all();
  } finally {
    stream.destroy();
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

/** The error as BadInput, if it is one of the file; `line` is the current line. */
const badInputOf = (file: string, line: number, error: unknown): BadInput | undefined => {
  if (error instanceof BadCompression) return new BadInput(file, line, error.message);
  const code = codeOf(error);
  if (code === 'EACCES' || code === 'EPERM') {
    return new BadInput(file, 0, 'the file may not be read');
  }
  return code.startsWith('E') && error instanceof Error
    ? new BadInput(file, 0, `the file cannot be read: ${error.message}`)
    : undefined;
};

/** The values until the signal comes: a pipe may never give the next one. */
async function* until<Value>(
  signal: AbortSignal | undefined,
  values: AsyncGenerator<Value>,
): AsyncGenerator<Value> {
  let stop = (): void => {};
  const onAbort = (): void => stop();
  signal?.addEventListener('abort', onAbort);
  try {
    while (signal?.aborted !== true) {
      const next = await new Promise<IteratorResult<Value> | undefined>((resolve, reject) => {
        stop = () => resolve(undefined);
        values.next().then(resolve, reject);
      });
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    // Not awaited: it is queued after the current read.
    void values.return(undefined);
  }
}

/** The beginning of an incomplete line. */
class OpenLine {
  #bytes: Buffer = Buffer.alloc(0);
  length = 0;

  add(bytes: Buffer): void {
    const length = this.length + bytes.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, this.length);
      this.#bytes = larger;
    }
    bytes.copy(this.#bytes, this.length);
    this.length = length;
  }

  /** The added bytes, which have no other owner. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.length);
    this.#bytes = Buffer.alloc(0);
    this.length = 0;
    return taken;
  }
}

const linesIn = (chunk: Buffer): number => {
  let count = 0;
  for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
};

/**
 * Whole lines, each with its end, in chunks as they come. The last line may lack its end. Throws BadInput, after the
 * lines before the error; ends early on the signal.
 */
export async function* chunksOf(
  file: string,
  signal?: AbortSignal,
  longest = LINE_BYTES_MAX,
): AsyncGenerator<Buffer> {
  const open = new OpenLine();
  let line = 1;
  try {
    for await (const chunk of until(signal, bytesOf(file))) {
      const first = chunk.indexOf(NEWLINE);
      if (open.length + (first < 0 ? chunk.length : first) > longest) {
        throw new BadInput(file, line, `the line is longer than ${longest} bytes`);
      }
      const end = chunk.lastIndexOf(NEWLINE) + 1;
      if (end > 0) {
        let whole = chunk.subarray(0, end);
        if (open.length > 0) {
          open.add(whole);
          whole = open.take();
        }
        yield whole;
        line += linesIn(whole);
      }
      if (end < chunk.length) open.add(chunk.subarray(end));
    }
  } catch (error) {
    throw badInputOf(file, line, error) ?? error;
  }
  if (signal?.aborted !== true && open.length > 0) yield open.take();
}

/** Every line of the file; none is longer than `longest` bytes. */
export async function* linesOf(file: string, longest = LINE_BYTES_MAX): AsyncGenerator<Line> {
  let number = 0;
  for await (const chunk of chunksOf(file, undefined, longest)) {
    for (let start = 0, end = 0; start < chunk.length; start = end + 1) {
      end = lineEnd(chunk, start);
      number += 1;
      yield { number, chunk, start, end };
    }
  }
}
