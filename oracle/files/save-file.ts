// SPDX-License-Identifier: MIT
// Saves a text or bytes under a path, whole or not at all. Every verb that writes a file writes it by this.

import { write } from 'node:fs';
import { promisify } from 'node:util';
import { beginReplacing } from './replacement.ts';
import { writeStream } from './stream.ts';
import { type PlainTarget, targetOf } from './target.ts';

/** Pieces of any size, which are written in larger ones. */
export type Content = string | Iterable<Uint8Array>;

const BLOCK = 1 << 20;

const written = promisify(write);

/** The same bytes in blocks. A block is overwritten when the next one is asked for. */
function* blocksOf(content: Content): Generator<Uint8Array> {
  if (typeof content === 'string') {
    yield Buffer.from(content);
    return;
  }
  const block = new Uint8Array(BLOCK);
  let used = 0;
  for (const piece of content) {
    if (used + piece.length > BLOCK) {
      yield block.subarray(0, used);
      used = 0;
    }
    if (piece.length > BLOCK) yield piece;
    else {
      block.set(piece, used);
      used += piece.length;
    }
  }
  yield block.subarray(0, used);
}

/** Whether saving under the path replaces a plain file, or makes one; false also where it cannot be saved. */
export const isReplaced = (path: string): boolean => {
  try {
    return targetOf(path).kind === 'plain';
  } catch {
    return false;
  }
};

const replace = async (target: PlainTarget, content: Content): Promise<void> => {
  const replacement = beginReplacing(target);
  try {
    for (const block of blocksOf(content)) {
      for (let rest = block; rest.length > 0; ) {
        const { bytesWritten } = await written(replacement.descriptor, rest);
        rest = rest.subarray(bytesWritten);
      }
    }
    await replacement.keep();
  } catch (error) {
    replacement.discard();
    throw error;
  }
};

const print = (stream: NodeJS.WriteStream, block: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    stream.write(new Uint8Array(block), (error) => (error == null ? resolve() : reject(error)));
  });

/**
 * A plain file gets the content at once, when all of it is on the disk; until then, and where that fails, it is what it was
 * before. What is no plain file is written into. Rejects with an error whose `reasonOf` says why; the caller names the path.
 */
export const saveFile = async (path: string, content: Content): Promise<void> => {
  const target = targetOf(path);
  switch (target.kind) {
    case 'plain':
      return replace(target, content);
    case 'stream':
      return writeStream(target, blocksOf(content));
    case 'output':
      for (const block of blocksOf(content)) await print(process[target.output], block);
  }
};
