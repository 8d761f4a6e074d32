// SPDX-License-Identifier: MIT
// Bytes that a call finds in memory, of which some are known only when the program runs: results of earlier calls, and
// addresses.

import type { ArenaOffset, ResultOf, Value } from '../../model/programs/program.ts';
import { putU16, putU32, putU64, zeroBytes } from '../../spec/abi/bytes.ts';

export type Cell = {
  /** Bytes from the start. */
  readonly offset: number;
  readonly width: number;
  readonly value: ResultOf | ArenaOffset;
};

/** A place whose content has a name after the call. */
export type NamedPlace = { readonly name: string; readonly offset: number; readonly width: number };

export type Image = {
  readonly bytes: Uint8Array;
  readonly cells: readonly Cell[];
  readonly named: readonly NamedPlace[];
};

export class ImageBuilder {
  readonly #bytes: Uint8Array;
  readonly #cells: Cell[] = [];
  readonly #named: NamedPlace[] = [];

  constructor(length: number) {
    this.#bytes = zeroBytes(length);
  }

  put(offset: number, width: 1 | 2 | 4 | 8, value: Value): void {
    if (typeof value !== 'bigint') {
      this.#cells.push({ offset, width, value });
      return;
    }
    const wrapped = BigInt.asUintN(8 * width, value);
    if (width === 8) putU64(this.#bytes, offset, wrapped);
    else if (width === 4) putU32(this.#bytes, offset, Number(wrapped));
    else if (width === 2) putU16(this.#bytes, offset, Number(wrapped));
    else this.#bytes[offset] = Number(wrapped);
  }

  putBytes(offset: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, offset);
  }

  /** The place gets the name after the call. */
  name(name: string, offset: number, width: number): void {
    this.#named.push({ name, offset, width });
  }

  get image(): Image {
    return { bytes: this.#bytes, cells: this.#cells, named: this.#named };
  }
}
