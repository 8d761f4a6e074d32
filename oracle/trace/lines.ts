// Lines of a file, plain or compressed, one after the other: what is read is never held as a whole.

import { closeSync, createReadStream, existsSync, openSync, readSync, statSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { BadInput } from './bad-input.ts';

const GZIP_MAGIC = 0x1f8b;

const isCompressed = (file: string): boolean => {
  const head = Buffer.alloc(2);
  const fd = openSync(file, 'r');
  try {
    return readSync(fd, head, 0, 2, 0) === 2 && head.readUInt16BE(0) === GZIP_MAGIC;
  } finally {
    closeSync(fd);
  }
};

/** Every line of the file, without its end, in batches. A last line may lack its end. */
export async function* linesOf(file: string): AsyncGenerator<readonly string[]> {
  if (!existsSync(file)) throw new BadInput(file, 0, 'there is no such file');
  if (!statSync(file).isFile()) throw new BadInput(file, 0, 'this is not a file');
  const stream = createReadStream(file, { highWaterMark: 1 << 18 });
  const source = isCompressed(file) ? stream.pipe(createGunzip({ chunkSize: 1 << 18 })) : stream;
  // pipe() hands no errors on.
  if (source !== stream) stream.on('error', (error) => source.destroy(error));
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const end = bytes.lastIndexOf(0x0a);
      if (end < 0) {
        rest = bytes;
        continue;
      }
      rest = bytes.subarray(end + 1);
      yield bytes.toString('utf8', 0, end).split('\n');
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) {
      throw new BadInput(file, 0, 'the compressed data ends early or is damaged');
    }
    throw error;
  }
  if (rest.length > 0) yield [rest.toString('utf8')];
}
