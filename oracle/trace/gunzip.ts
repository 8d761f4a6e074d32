// SPDX-License-Identifier: MIT
// Unpacks gzip as a stream. Of truncated data, everything before the end is returned before the error is thrown.

import { createGunzip } from 'node:zlib';

const GZIP_MAGIC = 0x1f8b;

/** The maximum size of a chunk in bytes. */
const CHUNK = 1 << 18;

/** Truncated or invalid compressed data: the message says which. */
export class BadCompression extends Error {}

export const isCompressed = (head: Buffer): boolean =>
  head.length >= 2 && head.readUInt16BE(0) === GZIP_MAGIC;

const problemOf = (error: Error): string =>
  'code' in error && error.code === 'Z_BUF_ERROR'
    ? 'the compressed data ends early'
    : 'the compressed data is damaged';

/** The unpacked bytes of one or several gzip members. Throws BadCompression. */
export async function* unpacked(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: CHUNK });
  let isEnded = false;
  let failure: Error | undefined;
  let wake = (): void => {};
  gunzip.on('readable', () => wake());
  gunzip.on('end', () => {
    isEnded = true;
    wake();
  });
  gunzip.on('error', (error) => {
    failure = error;
    wake();
  });

  /** Returns all output until `isDone`: an error would lose the rest. */
  async function* drain(isDone: () => boolean): AsyncGenerator<Buffer> {
    for (;;) {
      const bytes: Buffer | null = gunzip.read();
      if (bytes !== null) {
        yield bytes;
        continue;
      }
      if (failure !== undefined) throw new BadCompression(problemOf(failure));
      if (isEnded || isDone()) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  let taken = 0;
  try {
    for await (const chunk of packed) {
      let isTaken = false;
      taken += chunk.length;
      gunzip.write(chunk, () => {
        isTaken = true;
        wake();
      });
      yield* drain(() => isTaken);
      if (isEnded) break;
    }
    if (!isEnded) {
      gunzip.end();
      yield* drain(() => false);
    }
    if (gunzip.bytesWritten < taken) {
      throw new BadCompression('there are bytes after the compressed data');
    }
  } finally {
    gunzip.destroy();
  }
}
