// SPDX-License-Identifier: MIT
// This process and its kernel as the machine that a program runs on. It assumes that nothing else in the process
// opens descriptors while a program runs: every number from the first free one on is the program's.

import { fstatSync, readdirSync } from 'node:fs';
import type { Machine } from '../../../model/machine/machine.ts';
import { ARENA_BASE, ARENA_LENGTH, REGIONS } from '../../../model/programs/arena.ts';
import { ERRNO } from '../../../spec/abi/errno.ts';
import { PAGE_SIZE_BYTES } from '../../../spec/abi/units.ts';
import { VFIO_GROUP_GET_DEVICE_FD, VFIO_GROUP_SET_CONTAINER } from '../../../spec/abi/vfio.ts';
import type { Backing, DmaDirection, Protection, StatusField } from '../../../spec/terms/call.ts';
import { CallCheck } from '../../safety/call-check.ts';
import {
  checkArenaRange,
  checkCommand,
  checkPath,
  isSafeHalves,
  takesValue,
  UnsafeCall,
} from '../../safety/permitted.ts';
import { TEST_COMMAND, testOperation } from '../../safety/struct-inputs.ts';
import { ArenaMemory } from './arena-memory.ts';
import { DeviceUses } from './device-uses.ts';
import { EduDevices } from './edu.ts';
import * as libc from './libc.ts';
import { ProcessStatus } from './process-status.ts';

/** Memory of a device that the machine may map: a PCI resource, from `start` to `end` in bytes. */
export type DeviceMemory = { readonly path: string; readonly start: number; readonly end: number };

export type KernelMachineOptions = {
  readonly deviceMemory?: DeviceMemory;
  /** Files that programs may open; every file of VFIO and iommufd where absent. */
  readonly paths?: readonly string[];
};

const HUGE_PAGE = 0x20_0000;
const TEMP_MEMORY_LIMIT_DEFAULT = 65536;
const TEST_STRUCT_LENGTH = 72;
const TWO_TO_32 = 0x1_0000_0000;
/** A number holds an address exactly where its upper half is below this. */
const EXACT_HIGH = 0x20_0000;
const LAST_DESCRIPTOR = 0x7fff_ffff;

const isOpen = (fd: number): boolean => {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
};

/** Occupies every lower number: descriptors from this number on are the program's. */
const firstFreeDescriptor = (): number => {
  const spare = libc.openFile('/', libc.O_PATH | libc.O_CLOEXEC);
  const highest = Math.max(...readdirSync('/proc/self/fd').map(Number));
  let last = spare;
  while (last < highest) last = libc.duplicate(spare);
  // A program uses descriptor 0 if an operation returned nothing: it must be closed for the kernel too.
  libc.duplicateTo(spare, 0);
  return last + 1;
};

export class KernelMachine implements Machine {
  readonly memory: ArenaMemory;
  private readonly firstDescriptor: number;
  private readonly callCheck: CallCheck;
  private readonly uses = new DeviceUses();
  private readonly edu = new EduDevices();
  private readonly processStatus = new ProcessStatus();
  private readonly paths: readonly string[] | undefined;
  private readonly deviceMemory: DeviceMemory | undefined;
  private readonly deviceFile: number;
  private deviceOffset = 0;
  /** The length in bytes of each memfd. */
  private readonly memoryFiles = new Map<number, bigint>();

  constructor(options: KernelMachineOptions = {}) {
    this.memory = new ArenaMemory(ARENA_BASE, ARENA_LENGTH);
    this.paths = options.paths;
    this.deviceMemory = options.deviceMemory;
    this.deviceOffset = options.deviceMemory?.start ?? 0;
    this.deviceFile =
      options.deviceMemory === undefined
        ? -1
        : libc.openFile(options.deviceMemory.path, libc.O_RDWR | libc.O_CLOEXEC);
    this.firstDescriptor = firstFreeDescriptor();
    this.callCheck = new CallCheck(this.memory, (fd) => fd > 0 && fd < this.firstDescriptor);
  }

  open(path: string): number {
    checkPath(path);
    if (this.paths !== undefined && !this.paths.includes(path)) {
      throw new UnsafeCall(`Programs were not allowed to open ${path}; it must be named.`);
    }
    const fd = libc.openFile(path, libc.O_RDWR | libc.O_CLOEXEC);
    if (fd < 0) return -libc.errno();
    this.uses.opened(path, fd);
    return fd;
  }

  close(fd: number): number {
    if (!this.owns(fd)) return -ERRNO.EBADF;
    if (this.memoryFiles.size > 0) this.memoryFiles.delete(fd);
    if (libc.closeFile(fd) < 0) return -libc.errno();
    this.uses.closed(fd);
    return 0;
  }

  ioctl(fd: number, command: number, argument: bigint): number {
    const high = Number(BigInt.asIntN(32, argument >> 32n));
    return this.control(fd, command, high, Number(BigInt.asIntN(32, argument)));
  }

  /** The same with the halves of the argument. */
  control(fd: number, command: number, high: number, low: number): number {
    checkCommand(command);
    if (!isSafeHalves(high, low) && !takesValue(command)) {
      throw new UnsafeCall("The ioctl's argument may be an address of this process's own memory.");
    }
    if (!this.owns(fd)) return -ERRNO.EBADF;
    const upper = high >>> 0;
    const address = upper * TWO_TO_32 + (low >>> 0);
    const offset = address - this.memory.base;
    if (offset >= 0 && offset < this.memory.length) this.callCheck.check(command, offset);
    if (command === VFIO_GROUP_GET_DEVICE_FD) this.uses.check(fd);
    const argument = upper < EXACT_HIGH ? address : (BigInt(upper) << 32n) | BigInt(low >>> 0);
    const result = libc.controlFile(fd, command, argument);
    if (result < 0) return -libc.errno();
    if (command === VFIO_GROUP_SET_CONTAINER) this.uses.joined(fd, this.memory.wordAt(offset));
    else if (command === VFIO_GROUP_GET_DEVICE_FD) this.uses.gave(fd, result);
    return result;
  }

  dma(fd: number, direction: DmaDirection, iova: bigint, length: number): number {
    if (!this.owns(fd) || !isOpen(fd)) return -ERRNO.EBADF;
    this.callCheck.checkTransfer();
    return this.edu.transfer(fd, direction, iova, length);
  }

  status(field: StatusField): number {
    return this.processStatus.pages(field);
  }

  memfd(length: bigint): number {
    const fd = libc.createMemoryFile('program', libc.MFD_CLOEXEC);
    if (fd < 0) return -libc.errno();
    if (libc.truncateFile(fd, BigInt.asIntN(64, length)) < 0) {
      const result = -libc.errno();
      libc.closeFile(fd);
      return result;
    }
    this.memoryFiles.set(fd, length);
    return fd;
  }

  mmap(
    address: bigint,
    length: bigint,
    protection: Protection,
    shared: boolean,
    backing: Backing,
  ): number {
    const offset = this.arenaOffset(address, length);
    const size = Number(length);
    switch (backing.kind) {
      case 'anonymous':
        return this.memory.map(offset, size, protection, shared);
      case 'memfd': {
        // The kernel checks the offset before it finds the file.
        if (backing.offset % PAGE_SIZE_BYTES !== 0n) return -ERRNO.EINVAL;
        if (!this.owns(backing.fd)) return -ERRNO.EBADF;
        const whole = this.memoryFiles.get(backing.fd);
        if (whole === undefined) {
          const refused = this.mapOther(backing.fd, size, shared);
          // A file's mmap refuses only after the address range was found.
          const isAsked = refused !== -ERRNO.ENODEV && refused !== -ERRNO.EBADF;
          return isAsked ? this.memory.unmap(offset, size) || refused : refused;
        }
        const file = { fd: backing.fd, offset: backing.offset, length: whole };
        return this.memory.map(offset, size, protection, shared, file);
      }
      case 'huge':
        // The kernel rounds a length up, and the arena would not know of it.
        return offset % HUGE_PAGE !== 0 || size % HUGE_PAGE !== 0
          ? -ERRNO.EINVAL
          : this.memory.map(offset, size, protection, shared, undefined, true);
      case 'device':
        return this.mapDevice(offset, size, protection);
    }
  }

  /** Maps another file outside the arena. A map that succeeds is removed at once: programs have no use for it. */
  private mapOther(fd: number, size: number, shared: boolean): number {
    if (!isOpen(fd)) return -ERRNO.EBADF;
    const flags = shared ? libc.MAP_SHARED : libc.MAP_PRIVATE;
    const address = libc.mapMemory(0, size, libc.PROT_READ, flags, fd, 0);
    if (Number(address) < 0) return -libc.errno();
    libc.unmapMemory(address, size);
    return -ERRNO.ENODEV;
  }

  munmap(address: bigint, length: bigint): number {
    return this.memory.unmap(this.arenaOffset(address, length), Number(length));
  }

  load(address: bigint, length: number): Uint8Array {
    const offset = Number(address) - this.memory.base;
    return this.memory.bytes.slice(offset, offset + this.memory.loadable(offset, length));
  }

  store(address: bigint, bytes: Uint8Array): number {
    return this.memory.store(Number(address) - this.memory.base, bytes);
  }

  /** Resets the arena for a program; `fresh` with pages and charges that no program had before. */
  prepare(fresh = false): void {
    if (fresh) this.memory.empty();
    this.memory.restore(REGIONS);
    this.edu.dropKnown();
    this.processStatus.start(fresh);
  }

  /** Closes the program's files, and restores what it changed in the kernel. */
  release(): void {
    libc.closeRange(this.firstDescriptor, LAST_DESCRIPTOR, 0);
    this.memoryFiles.clear();
    this.deviceOffset = this.deviceMemory?.start ?? 0;
    if (this.callCheck.limitChanged) this.resetTemporaryLimit();
    this.callCheck.reset();
    this.uses.reset();
  }

  private owns(fd: number): boolean {
    return fd >= this.firstDescriptor && fd <= LAST_DESCRIPTOR;
  }

  private arenaOffset(address: bigint, length: bigint): number {
    const offset = address - BigInt(this.memory.base);
    checkArenaRange(offset, length, BigInt(this.memory.length));
    return Number(offset);
  }

  /** Each mapping gets pages of the device that no other has, all zero. */
  private mapDevice(offset: number, length: number, protection: Protection): number {
    const { deviceMemory, deviceOffset, deviceFile } = this;
    if (deviceMemory === undefined || deviceFile < 0) return -ERRNO.ENODEV;
    if (deviceOffset + length > deviceMemory.end) return -ERRNO.ENOMEM;
    const file = { fd: deviceFile, offset: deviceOffset, length: deviceMemory.end };
    const mapped = this.memory.map(offset, length, 'read-write', true, file);
    if (mapped < 0) return mapped;
    this.deviceOffset += length;
    this.memory.bytes.fill(0, offset, offset + length);
    if (protection !== 'read-write') this.memory.protect(offset, length, protection);
    return 0;
  }

  private resetTemporaryLimit(): void {
    const fd = libc.openFile('/dev/iommu', libc.O_RDWR | libc.O_CLOEXEC);
    if (fd < 0) return;
    const struct = new Uint32Array(TEST_STRUCT_LENGTH / 4);
    const operation = testOperation('SET_TEMP_MEMORY_LIMIT');
    struct.set([TEST_STRUCT_LENGTH, operation, 0, 0, TEMP_MEMORY_LIMIT_DEFAULT]);
    this.prepare();
    this.memory.store(0, new Uint8Array(struct.buffer));
    const result = libc.controlFile(fd, TEST_COMMAND, this.memory.base);
    const error = libc.errno();
    libc.closeFile(fd);
    // A kernel without test commands has not changed it either.
    if (result < 0 && error !== ERRNO.ENOTTY) {
      throw new Error(
        `The limit of the kernel's batch memory cannot be put back (errno ${error}).`,
      );
    }
  }
}
