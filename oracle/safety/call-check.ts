// SPDX-License-Identifier: MIT
// Checks an ioctl's argument before the kernel does. It refuses calls that make the kernel use memory or descriptors
// that are not the program's, and tracks which memory and which kernel state the call changes. The memory is the arena
// itself, or what is known about it before the program runs.

import { VFIO_GROUP_GET_DEVICE_FD, VFIO_GROUP_SET_CONTAINER } from '../../spec/abi/vfio.ts';
import { isSafeHalves, LONGEST_MAPPING, UnsafeCall } from './permitted.ts';
import {
  inputsOfCall,
  type StructInputs,
  TEST_COMMAND,
  testOperation,
  type Written,
} from './struct-inputs.ts';

const LONGEST_STRUCT = 72;
const LOWEST_PAGE = 4096;
/** The upper half of the smallest length with which a map may leave the reserved span. */
const LONG_MAPPING = Number(LONGEST_MAPPING >> 32n);
const FIRST_NATIVE = 0x3b80;
const NEVER = 0;
const SET_LIMIT = testOperation('SET_TEMP_MEMORY_LIMIT');
const ACCESS_RW = testOperation('ACCESS_RW');
const ACCESS_RW_FLAGS = 40;
const ACCESS_RW_WRITES = 1;

/** VFIO's replies may be as long as the program's argsz says. A device's name is no struct. */
const isSizedByProgram = (command: number): boolean =>
  command < FIRST_NATIVE && command !== VFIO_GROUP_GET_DEVICE_FD;

/** A name and a descriptor: no structs, and nothing is written back. */
const readsOnly = (command: number): boolean =>
  command === VFIO_GROUP_GET_DEVICE_FD || command === VFIO_GROUP_SET_CONTAINER;

/** The same number as VFIO_IOMMU_DIRTY_PAGES, on a device. */
const VFIO_DEVICE_FEATURE = 0x3b75;
const FEATURE_GET = 1 << 16;
const FEATURE_MASK = 0xffff;
const FEATURE_DMA_LOGGING_REPORT = 8;

/** Calls whose second word decides the pointers or the operation. In others it only has flags that pass more. */
const dependsOnSecondWord = (command: number): boolean =>
  command === TEST_COMMAND || command === VFIO_DEVICE_FEATURE;

/** Its output pointer has another offset than in the container's call of that number. */
const isLoggingReport = (flags: number): boolean =>
  (flags & FEATURE_GET) !== 0 && (flags & FEATURE_MASK) === FEATURE_DMA_LOGGING_REPORT;

/** The arena's memory. Offsets and lengths are bytes. */
export type CheckedMemory = {
  /** The address at which it begins. */
  readonly base: number;
  readonly length: number;
  /** How many of `length` bytes from the offset on can be read before the first that cannot, at most. */
  readonly loadable: (offset: number, length: number) => number;
  /** How many of them the program may write, at most. */
  readonly writable: (offset: number, length: number) => number;
  /** The 32 bits at an offset, which can be read; undefined where they are not known. */
  readonly wordAt: (offset: number) => number | undefined;
  /** The call may change these bytes; of a struct no more than `passed`, unless the kernel has a defect. */
  readonly dirty: (offset: number, length: number, passed?: number) => void;
};

/** Stands for an unknown length: every field counts as passed. */
const ANY_LENGTH = 0xffff_ffff;

/** A word as a u32. */
const unsigned = (word: number | undefined): number =>
  word === undefined ? ANY_LENGTH : word >>> 0;

export class CallCheck {
  /** The program changed the limit of the kernel's batch memory, which is global. */
  limitChanged = false;
  /** The program made a mapping by which an IOVA may reach memory that is not the arena's. */
  private reachesOutside = false;
  private readonly memory: CheckedMemory;
  /** Whether a number is a descriptor of the runner, not of the program. */
  private readonly isForeign: (fd: number) => boolean;

  constructor(memory: CheckedMemory, isForeign: (fd: number) => boolean) {
    this.memory = memory;
    this.isForeign = isForeign;
  }

  /** A new program begins. */
  reset(): void {
    this.limitChanged = false;
    this.reachesOutside = false;
  }

  /** A device transfers memory. Throws UnsafeCall if an IOVA may reach more than the arena. */
  checkTransfer(): void {
    if (this.reachesOutside) {
      throw new UnsafeCall(
        "A device may reach this process's own memory: a mapping of the program is too long.",
      );
    }
    this.memory.dirty(0, this.memory.length);
  }

  /** `offset` is the argument's arena offset. Throws UnsafeCall. */
  check(command: number, offset: number): void {
    const { memory } = this;
    const readable = memory.loadable(offset, LONGEST_STRUCT);
    if (readable < 4) return;
    const size = unsigned(memory.wordAt(offset));
    memory.dirty(
      offset,
      isSizedByProgram(command) ? Math.max(size, LONGEST_STRUCT) : LONGEST_STRUCT,
      readsOnly(command) ? 0 : size,
    );
    const operation = readable < 8 ? NEVER : memory.wordAt(offset + 4);
    if (operation === undefined && dependsOnSecondWord(command)) {
      throw new UnsafeCall('What the call does depends on memory that is not known before it.');
    }
    const inputs = inputsOfCall(command, operation ?? NEVER);
    if (command === VFIO_DEVICE_FEATURE && isLoggingReport(operation ?? NEVER)) {
      throw new UnsafeCall("A device's own log of its accesses is not read for a program.");
    }
    if (inputs !== undefined) this.checkInputs(inputs, offset, Math.min(readable, size));
    if (command === TEST_COMMAND) this.noteTest(operation ?? NEVER, offset, readable);
  }

  private checkInputs(inputs: StructInputs, offset: number, length: number): void {
    const { memory } = this;
    const { pointers, descriptors, mappedLength } = inputs;
    for (const field of descriptors) {
      // SET_CONTAINER's argument is no struct with a size: its descriptor is its first word.
      const fd = field === 0 || field + 4 <= length ? memory.wordAt(offset + field) : NEVER;
      // A number is unknown if a call returned it, or stored it in memory.
      if (fd !== undefined && this.isForeign(fd)) {
        throw new UnsafeCall(`Descriptor ${fd} is this process's own, not the program's.`);
      }
    }
    for (const { offset: field, written, flag } of pointers) {
      if (field + 8 > length) continue;
      const flags = memory.wordAt(offset + 4);
      if (flag !== undefined && flags !== undefined && (flags & flag) === 0) continue;
      const high = memory.wordAt(offset + field + 4);
      const low = memory.wordAt(offset + field);
      if (high === undefined || low === undefined) {
        throw new UnsafeCall(
          `The pointer at byte ${field} of the struct is not known before the call.`,
        );
      }
      if (!isSafeHalves(high, low)) {
        throw new UnsafeCall(
          `The pointer at byte ${field} of the struct may reach this process's own memory.`,
        );
      }
      if (written !== 'nothing') this.noteWritten(written, offset, high, low);
      if (mappedLength !== undefined && mappedLength + 8 <= length) {
        this.noteMapping(high, offset + mappedLength);
      }
    }
  }

  private noteWritten(written: Written, offset: number, high: number, low: number): void {
    const { memory } = this;
    const at = (high >>> 0) * 0x1_0000_0000 + (low >>> 0) - memory.base;
    if (at < 0 || at >= memory.length || written === 'nothing') return;
    const count =
      written === 'unknown'
        ? memory.length
        : unsigned(memory.wordAt(offset + written.countAt)) * written.unit;
    memory.dirty(at, memory.writable(at, count));
  }

  private noteMapping(pointerHigh: number, lengthAt: number): void {
    const high = unsigned(this.memory.wordAt(lengthAt + 4));
    const low = unsigned(this.memory.wordAt(lengthAt));
    if (high >= LONG_MAPPING || (pointerHigh === 0 && (high > 0 || low > LOWEST_PAGE))) {
      this.reachesOutside = true;
    }
  }

  private noteTest(operation: number, offset: number, readable: number): void {
    if (operation === SET_LIMIT) this.limitChanged = true;
    if (operation !== ACCESS_RW || readable < ACCESS_RW_FLAGS + 4) return;
    if (this.reachesOutside) {
      throw new UnsafeCall(
        "An access by IOVA may reach this process's own memory: a mapping of the program is too long.",
      );
    }
    if (unsigned(this.memory.wordAt(offset + ACCESS_RW_FLAGS)) & ACCESS_RW_WRITES) {
      this.memory.dirty(0, this.memory.length);
    }
  }
}
