// SPDX-License-Identifier: MIT
// A short name for all that a run shows, replies and hidden state alike, so that a run with a mutant is judged only
// if it differs from the run without.

import type { HiddenState } from '../../model/machine/machine.ts';
import type { Step } from '../../model/programs/run.ts';

/** Two hashes of 32 bits side by side, in the manner of FNV-1a. */
export class Digest {
  #one = 0x811c_9dc5;
  #other = 0x9747_b28c;

  number(value: number): void {
    this.#one = Math.imul(this.#one ^ value, 0x0100_0193);
    this.#other = Math.imul(this.#other ^ (value + 0x7f4a_7c15), 0x85eb_ca6b);
    this.#other ^= this.#other >>> 13;
  }

  bigint(value: bigint): void {
    this.number(Number(BigInt.asUintN(32, value)));
    this.number(Number(BigInt.asUintN(32, value >> 32n)));
  }

  bytes(bytes: Uint8Array): void {
    this.number(bytes.length);
    for (const byte of bytes) this.number(byte);
  }

  text(text: string): void {
    this.bytes(Buffer.from(text));
  }

  toString(): string {
    return `${(this.#one >>> 0).toString(16)}${(this.#other >>> 0).toString(16).padStart(8, '0')}`;
  }
}

/** What a call came to. The call itself follows from the program and from what came before. */
export const addStep = (digest: Digest, { observation }: Step): void => {
  digest.number(observation.result);
  digest.number(observation.errno);
  for (const { address, bytes } of observation.memory) {
    digest.bigint(address);
    digest.bytes(bytes);
  }
};

export const addHiddenState = (digest: Digest, state: HiddenState): void => {
  const text = JSON.stringify(state, (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString(16) : value,
  );
  digest.text(text);
};
