// Lines of a file, plain or compressed, one after the other: what is read is never held as a whole.

import { createReadStream, existsSync, type ReadStream, statSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { BadInput } from './bad-input.ts';

const GZIP_MAGIC = 0x1f8b;
const NEWLINE = 0x0a;
const CHUNK = 1 << 18;

const opened = (file: string): ReadStream => {
  if (file === '-') return createReadStream('', { fd: 0, highWaterMark: CHUNK });
  if (!existsSync(file)) throw new BadInput(file, 0, 'there is no such file');
  if (statSync(file).isDirectory()) throw new BadInput(file, 0, 'this is a directory, not a file');
  return createReadStream(file, { highWaterMark: CHUNK });
};

/** The first bytes of the stream, which stay in it; none where it is empty. */
const peeked = (stream: ReadStream): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    stream.once('error', reject);
    stream.once('readable', () => {
      const first: Buffer | null = stream.read();
      if (first !== null) stream.unshift(first);
      resolve(first ?? Buffer.alloc(0));
    });
  });

const isCompressed = (head: Buffer): boolean =>
  head.length >= 2 && head.readUInt16BE(0) === GZIP_MAGIC;

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

/** The file's bytes, unpacked where they are compressed. */
async function* bytesOf(file: string): AsyncGenerator<Buffer> {
  const stream = opened(file);
  const head = await peeked(stream);
  if (!isCompressed(head)) {
    yield* stream as AsyncIterable<Buffer>;
    return;
  }
  const unpacked = stream.pipe(createGunzip({ chunkSize: CHUNK }));
  // pipe() hands no errors on.
  stream.on('error', (error) => unpacked.destroy(error));
  yield* unpacked as AsyncIterable<Buffer>;
}

const problemOf = (error: unknown): string | undefined => {
  const code = codeOf(error);
  if (code.startsWith('Z_')) return 'the compressed data ends early or is damaged';
  if (code === 'EACCES' || code === 'EPERM') return 'the file may not be read';
  return code.startsWith('E') && error instanceof Error
    ? `the file cannot be read: ${error.message}`
    : undefined;
};

/** Whole lines, each with its end, in chunks as they come. The last line may lack its end. */
export async function* chunksOf(file: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of bytesOf(file)) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const end = bytes.lastIndexOf(NEWLINE) + 1;
      rest = bytes.subarray(end);
      if (end > 0) yield bytes.subarray(0, end);
    }
  } catch (error) {
    const problem = problemOf(error);
    throw problem === undefined ? error : new BadInput(file, 0, problem);
  }
  if (rest.length > 0) yield rest;
}

/** Every line of the file as text, without its end, in batches. */
export async function* linesOf(file: string): AsyncGenerator<readonly string[]> {
  for await (const chunk of chunksOf(file)) {
    const isEnded = chunk[chunk.length - 1] === NEWLINE;
    yield chunk.toString('utf8', 0, isEnded ? chunk.length - 1 : chunk.length).split('\n');
  }
}
