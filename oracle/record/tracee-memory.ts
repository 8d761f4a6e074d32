// SPDX-License-Identifier: MIT
// Reads the memory of the recorded program with the program's own permissions.

import koffi from 'koffi';
import * as libc from '../subjects/kernel/libc.ts';

const readRemote: (
  process: number,
  local: bigint,
  localCount: number,
  remote: bigint,
  remoteCount: number,
  flags: number,
) => number = koffi
  .load('libc.so.6')
  .func(
    'int64_t process_vm_readv(int process, uint64_t local, uint64_t localCount, uint64_t remote, uint64_t remoteCount, uint64_t flags)',
  );

const PAGE = 4096n;
const ESRCH = 3;
/** As much as one read can ask for, with one more for a start within a page. */
export const READ_MAX = 8192;
const PIECES = READ_MAX / Number(PAGE) + 1;
const PIECE_WORDS = 2;

export class TraceeMemory {
  readonly #data: Uint8Array;
  readonly #pieces: BigUint64Array;
  readonly #piecesAddress: bigint;

  constructor() {
    const length = READ_MAX + Number(PAGE);
    const { PROT_READ_WRITE, MAP_PRIVATE, MAP_ANONYMOUS } = libc;
    const found = libc.mapMemory(0, length, PROT_READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const address = BigInt(found);
    if (address === -1n) throw new Error('There is no memory left to read into.');
    this.#data = new Uint8Array(libc.memoryAt(address, READ_MAX));
    this.#piecesAddress = address + BigInt(READ_MAX);
    // One piece for what is read into, and one for each page that is read.
    const words = new BigUint64Array(libc.memoryAt(this.#piecesAddress, (PIECES + 1) * 16));
    words[0] = address;
    this.#pieces = words;
  }

  /** Bytes from the address on, up to the first page that the process may not read; at most READ_MAX. */
  read(process: number, address: bigint, length: number): Uint8Array {
    const wanted = Math.min(length, READ_MAX);
    if (wanted <= 0 || address >= 1n << 63n) return new Uint8Array();
    this.#pieces[1] = BigInt(wanted);
    let at = address;
    const end = address + BigInt(wanted);
    let count = 0;
    while (at < end) {
      const bound = (at / PAGE + 1n) * PAGE;
      const next = bound < end ? bound : end;
      count += 1;
      this.#pieces[count * PIECE_WORDS] = at;
      this.#pieces[count * PIECE_WORDS + 1] = next - at;
      at = next;
    }
    const remote = this.#piecesAddress + 16n;
    const done = Number(readRemote(process, this.#piecesAddress, 1, remote, count, 0));
    return this.#data.slice(0, Math.max(done, 0));
  }

  /** Whether the process has died, and its memory with it. */
  isGone(process: number): boolean {
    this.#pieces[1] = 1n;
    this.#pieces[PIECE_WORDS] = PAGE;
    this.#pieces[PIECE_WORDS + 1] = 1n;
    const done = readRemote(process, this.#piecesAddress, 1, this.#piecesAddress + 16n, 1, 0);
    return Number(done) < 0 && libc.errno() === ESRCH;
  }
}
