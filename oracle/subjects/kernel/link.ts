// SPDX-License-Identifier: MIT
// The connection to a runner: frames in both directions, its position, and how it ended.

import { closeSync, openSync, readSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { PROGRESS_WORDS } from './runner-options.ts';

/** A started runner. */
export type Runner = {
  readonly port: Duplex;
  /** The file whose first words the runner keeps up to date. */
  readonly progress: string;
  /** Settles when it has ended, with its last messages. */
  readonly ended: Promise<string>;
  kill(): void;
};

/** The position of a runner, or the one where it died. */
export type Position = {
  readonly batches: number;
  /** Index in the batch. */
  readonly program: number;
  /** Index in the program; -1 before the first, and their count while its descriptors are closed. */
  readonly operation: number;
};

/** The result of waiting for a frame. */
export type Received =
  | { readonly kind: 'frame'; readonly bytes: Buffer }
  | { readonly kind: 'ended'; readonly said: string; readonly position: Position }
  | { readonly kind: 'hung'; readonly position: Position };

const LOOK_MS = 250;

export class Link {
  private readonly runner: Runner;
  private readonly progressFile: number;
  private chunks: Buffer[] = [];
  private held = 0;
  private wake: () => void = () => {};
  private said: string | undefined;
  private last: Position = { batches: 0, program: 0, operation: -1 };

  constructor(runner: Runner) {
    this.runner = runner;
    this.progressFile = openSync(runner.progress, 'r');
    runner.port.on('data', (data: Buffer) => {
      this.chunks.push(data);
      this.held += data.length;
      this.wake();
    });
    runner.port.on('error', () => runner.kill());
    void runner.ended.then((said) => {
      this.position();
      closeSync(this.progressFile);
      this.said = said;
      this.wake();
    });
  }

  send(bytes: Uint8Array): void {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(bytes.length);
    this.runner.port.write(head);
    this.runner.port.write(bytes);
  }

  /** The next frame. A runner that shows no progress for so long hangs; it is ended. */
  async receive(patienceMs: number): Promise<Received> {
    let seen = JSON.stringify(this.position());
    let since = Date.now();
    for (;;) {
      const bytes = this.takeFrame();
      if (bytes !== undefined) return { kind: 'frame', bytes };
      if (this.said !== undefined) return { kind: 'ended', said: this.said, position: this.last };
      await this.somethingNew();
      const now = JSON.stringify(this.position());
      if (now !== seen) {
        seen = now;
        since = Date.now();
      } else if (Date.now() - since > patienceMs) {
        const position = this.last;
        this.runner.kill();
        return { kind: 'hung', position };
      }
    }
  }

  /** Ends the runner, and waits until it has. */
  async end(): Promise<void> {
    this.runner.kill();
    await this.runner.ended;
  }

  private position(): Position {
    if (this.said !== undefined) return this.last;
    const words = new Int32Array(PROGRESS_WORDS);
    readSync(this.progressFile, new Uint8Array(words.buffer), 0, words.byteLength, 0);
    this.last = {
      batches: words[0] ?? 0,
      program: words[1] ?? 0,
      operation: words[2] ?? 0,
    };
    return this.last;
  }

  private somethingNew(): Promise<void> {
    return new Promise((settle) => {
      const timer = setTimeout(settle, LOOK_MS);
      this.wake = () => {
        clearTimeout(timer);
        settle();
      };
    });
  }

  private takeFrame(): Buffer | undefined {
    const [first] = this.chunks;
    if (first === undefined || this.held < 4) return undefined;
    const head = first.length >= 4 ? first : Buffer.concat(this.chunks);
    const end = 4 + head.readUInt32LE(0);
    if (this.held < end) return undefined;
    const whole = this.chunks.length === 1 ? first : Buffer.concat(this.chunks);
    const rest = whole.subarray(end);
    this.chunks = rest.length === 0 ? [] : [rest];
    this.held = rest.length;
    return whole.subarray(4, end);
  }
}
