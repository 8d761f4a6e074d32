// SPDX-License-Identifier: MIT
// Files that end with a checksum of all that is before it, so that damage is known before anything of it is used.

import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Of SHA-256. */
const LENGTH = 32;
const BLOCK = 1 << 20;

/** The pieces, and behind them their checksum. */
export function* withChecksum(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  const hash = createHash('sha256');
  for (const piece of pieces) {
    hash.update(piece);
    yield piece;
  }
  yield hash.digest();
}

export class CheckedFile {
  readonly #descriptor: number;
  /** Bytes before the checksum. */
  readonly length: number;

  /** Throws where it cannot be opened, or is no plain file. */
  constructor(path: string) {
    // A pipe without a writer would be waited for.
    this.#descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = fstatSync(this.#descriptor);
    this.length = Math.max(0, found.size - LENGTH);
    if (!found.isFile()) {
      this.close();
      throw new Error('it is no plain file');
    }
  }

  /** As many bytes as there are at that place, at most as many as `into` takes. */
  read(into: Uint8Array, at: number): number {
    const room = Math.max(0, Math.min(into.length, this.length - at));
    let done = 0;
    while (done < room) {
      const count = readSync(this.#descriptor, into, done, room - done, at + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  /** Reads all of it. */
  isWhole(): boolean {
    const hash = createHash('sha256');
    const block = new Uint8Array(BLOCK);
    for (let at = 0; at < this.length; ) {
      const count = this.read(block, at);
      if (count === 0) return false;
      hash.update(block.subarray(0, count));
      at += count;
    }
    const stored = new Uint8Array(LENGTH);
    return (
      readSync(this.#descriptor, stored, 0, LENGTH, this.length) === LENGTH &&
      hash.digest().equals(stored)
    );
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
