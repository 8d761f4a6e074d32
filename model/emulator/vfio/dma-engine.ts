// SPDX-License-Identifier: MIT
// The DMA part of QEMU's edu device: one buffer, and accesses through the domain that the device is
// attached to. A refused access reads zeros. hw/misc/edu.c of QEMU.

import { ERRNO } from '../../../spec/abi/errno.ts';
import { PAGE_SIZE } from '../../../spec/abi/units.ts';
import type { DmaDirection } from '../../../spec/terms/call.ts';
import type { Domain } from '../domain.ts';
import type { Frames } from '../memory/frames.ts';

const BUFFER_LENGTH = 4096;

export class DmaEngine {
  readonly #frames: Frames;
  readonly #buffer = new Uint8Array(BUFFER_LENGTH);
  /** How many bytes of the buffer were read into it. */
  #filled = 0;

  constructor(frames: Frames) {
    this.#frames = frames;
  }

  /** Without a domain every access is refused. 0, or -ENODATA if there is nothing to write. */
  transfer(
    domain: Domain | undefined,
    direction: DmaDirection,
    iova: bigint,
    length: number,
  ): number {
    if (direction === 'write' && this.#filled < length) return -ERRNO.ENODATA;
    for (let at = 0; at < Math.min(length, BUFFER_LENGTH); at += 1) {
      this.#moveByte(domain, direction, iova + BigInt(at), at);
    }
    if (direction === 'read') this.#filled = Math.max(this.#filled, length);
    return 0;
  }

  #moveByte(domain: Domain | undefined, direction: DmaDirection, iova: bigint, at: number): void {
    const reached = domain?.reach(iova);
    const frame = reached === undefined ? 0 : Math.floor(reached.physical / PAGE_SIZE);
    const offset = reached === undefined ? 0 : reached.physical % PAGE_SIZE;
    if (direction === 'read') {
      const byte = reached?.permission.readable ? this.#frames.contents(frame)?.[offset] : 0;
      this.#buffer[at] = byte ?? 0;
    } else if (reached?.permission.writable) {
      this.#frames.writable(frame)[offset] = this.#buffer[at] ?? 0;
    }
  }
}
