// SPDX-License-Identifier: MIT
// The kernel subject's executor with the emulator instead of the kernel, so that the memory and
// arguments that it prepares can be compared with those of the emulator. The arena's bytes are
// copied to where the executor reads them.

import type { Machine } from '../../../model/machine/machine.ts';
import { ARENA_BASE, ARENA_LENGTH, mapArena } from '../../../model/programs/arena.ts';
import type { Program } from '../../../model/programs/program.ts';
import { CallCheck } from '../../../oracle/safety/call-check.ts';
import {
  checkArenaRange,
  checkCommand,
  checkPath,
  checkTransfer,
  isSafeHalves,
  takesValue,
  UnsafeCall,
} from '../../../oracle/safety/permitted.ts';
import { compileBatch } from '../../../oracle/subjects/kernel/compile.ts';
import { Executor } from '../../../oracle/subjects/kernel/executor.ts';
import type { KernelLog } from '../../../oracle/subjects/kernel/kernel-log.ts';
import type { KernelMachine } from '../../../oracle/subjects/kernel/machine.ts';
import { type Played, playBatch } from '../../../oracle/subjects/kernel/playback.ts';
import type { Backing, DmaDirection, Protection, StatusField } from '../../../spec/terms/call.ts';

const LENGTH = Number(ARENA_LENGTH);

/** The arena's memory, as the executor uses it. */
class MirroredArena {
  readonly base = Number(ARENA_BASE);
  readonly length = LENGTH;
  readonly bytes = new Uint8Array(LENGTH);
  readonly words = new Int32Array(this.bytes.buffer);
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** The 32 bits at an offset that `loadable` returned. */
  wordAt(offset: number): number {
    return new DataView(this.bytes.buffer).getInt32(offset, true);
  }

  loadable(offset: number, length: number): number {
    if (!(offset >= 0 && offset < LENGTH)) return 0;
    const wanted = Math.min(length, LENGTH - offset);
    const loaded = this.#machine.load(ARENA_BASE + BigInt(offset), wanted);
    this.bytes.set(loaded, offset);
    return loaded.length;
  }

  /** Nothing is written in place: all stores go through `store`. */
  writable(): number {
    return 0;
  }

  store(offset: number, bytes: Uint8Array): number {
    if (!(offset >= 0 && offset < LENGTH)) return 0;
    const inside = bytes.subarray(0, LENGTH - offset);
    return this.#machine.store(ARENA_BASE + BigInt(offset), inside);
  }

  dirty(): void {}
}

/** The executor's machine, implemented by the emulator. */
class EmulatedKernel {
  readonly memory: MirroredArena;
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.memory = new MirroredArena(machine);
  }

  prepare(): void {
    mapArena(this.#machine, ARENA_BASE);
  }

  release(): void {}

  open(path: string): number {
    return this.#machine.open(path);
  }

  close(fd: number): number {
    return this.#machine.close(fd);
  }

  memfd(length: bigint): number {
    return this.#machine.memfd(length);
  }

  mmap(
    address: bigint,
    length: bigint,
    protection: Protection,
    shared: boolean,
    backing: Backing,
  ): number {
    return this.#machine.mmap(address, length, protection, shared, backing);
  }

  munmap(address: bigint, length: bigint): number {
    return this.#machine.munmap(address, length);
  }

  dma(fd: number, direction: DmaDirection, iova: bigint, length: number): number {
    return this.#machine.dma(fd, direction, iova, length);
  }

  status(field: StatusField): number {
    return this.#machine.status(field);
  }

  control(fd: number, command: number, high: number, low: number): number {
    const argument = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    return this.#machine.ioctl(fd, command, argument);
  }
}

/** The same with the checks that the kernel subject makes before a call. */
class CheckedKernel extends EmulatedKernel {
  readonly #calls: CallCheck;

  constructor(machine: Machine) {
    super(machine);
    this.#calls = new CallCheck(this.memory, () => false);
  }

  override open(path: string): number {
    checkPath(path);
    return super.open(path);
  }

  override mmap(
    address: bigint,
    length: bigint,
    protection: Protection,
    shared: boolean,
    backing: Backing,
  ): number {
    checkArenaRange(address - ARENA_BASE, length, ARENA_LENGTH);
    return super.mmap(address, length, protection, shared, backing);
  }

  override munmap(address: bigint, length: bigint): number {
    checkArenaRange(address - ARENA_BASE, length, ARENA_LENGTH);
    return super.munmap(address, length);
  }

  override dma(fd: number, direction: DmaDirection, iova: bigint, length: number): number {
    checkTransfer(iova, length);
    this.#calls.checkTransfer();
    return super.dma(fd, direction, iova, length);
  }

  override control(fd: number, command: number, high: number, low: number): number {
    checkCommand(command);
    if (!takesValue(command) && !isSafeHalves(high, low)) throw new UnsafeCall('An address.');
    const offset = (high >>> 0) * 0x1_0000_0000 + (low >>> 0) - this.memory.base;
    if (offset >= 0 && offset < LENGTH) this.#calls.check(command, offset);
    return super.control(fd, command, high, low);
  }
}

const NO_LOG = { complaints: () => false } as unknown as KernelLog;

/**
 * Compiles, executes and plays back the program as for a kernel, on this machine, which must be
 * fresh.
 */
export const executedOn = (machine: Machine, program: Program): Played =>
  executedBy(new EmulatedKernel(machine), program);

/** The same, but a call that the kernel subject refuses ends the program. */
export const checkedOn = (machine: Machine, program: Program): Played =>
  executedBy(new CheckedKernel(machine), program);

const executedBy = (emulated: EmulatedKernel, program: Program): Played => {
  const kernel = emulated as unknown as KernelMachine;
  const executor = new Executor(kernel, NO_LOG, new Int32Array(4), { logEveryCall: false });
  const batch = new Uint8Array(compileBatch([program]));
  const results = new Uint8Array(executor.run(new Int32Array(batch.buffer)));
  const [played] = playBatch([program], new Int32Array(results.buffer));
  if (played === undefined) throw new Error('Nothing came of the program.');
  return played;
};
