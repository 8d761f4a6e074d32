// SPDX-License-Identifier: MIT
// Makes QEMU's edu device transfer memory, through its BAR on the device's descriptor. Other devices are not
// touched, and a harmful transfer is refused.

import { existsSync, readdirSync } from 'node:fs';
import { ERRNO } from '../../../spec/abi/errno.ts';
import type { DmaDirection } from '../../../spec/terms/call.ts';
import { checkTransfer, UnsafeCall } from '../../safety/permitted.ts';
import * as libc from './libc.ts';

/** vfio-pci's regions on the descriptor, in bytes: BAR 0 and the configuration space. */
const BAR = 0;
const CONFIGURATION = 7 * 2 ** 40;

const ID = CONFIGURATION;
const EDU_ID = 0x11e8_1234;
const COMMAND = CONFIGURATION + 4;
const MEMORY_AND_BUS_MASTER = 6;
const BAR0 = CONFIGURATION + 0x10;

const SOURCE = BAR + 0x80;
const DESTINATION = BAR + 0x88;
const COUNT = BAR + 0x90;
const START = BAR + 0x98;
const RUN = 1n;
const TO_MEMORY = 2n;
/** Where the device has its buffer. A transfer beyond it ends QEMU. */
const BUFFER = 0x4_0000n;

const PAUSE_MS = 2;
const PATIENCE_MS = 20_000;
const never = new Int32Array(new SharedArrayBuffer(4));

const FOLDERS = ['/dev/vfio', '/dev/vfio/devices'];

/** The device of a descriptor is not checked: no transfer starts if a device has no IOMMU. */
const hasNoIommuDevices = (): boolean =>
  FOLDERS.some(
    (folder) =>
      existsSync(folder) && readdirSync(folder).some((name) => name.startsWith('noiommu-')),
  );

export class EduDevices {
  /** How many bytes of its buffer a device has read since the program began, by the address of its BAR. */
  private readonly filled = new Map<number, number>();
  private readonly register = new BigUint64Array(1);
  private readonly bytes = new Uint8Array(this.register.buffer);

  /** A new program begins. */
  dropKnown(): void {
    this.filled.clear();
  }

  /** 0 when it is done; -ENODEV if the device is not an edu, -ENODATA if there is nothing to write. */
  transfer(fd: number, direction: DmaDirection, iova: bigint, length: number): number {
    checkTransfer(iova, length);
    if (hasNoIommuDevices()) {
      throw new UnsafeCall('A device of the machine has no IOMMU and would reach any memory.');
    }
    if (this.read(fd, ID, 4) !== BigInt(EDU_ID)) return -ERRNO.ENODEV;
    const name = Number(this.read(fd, BAR0, 4));
    if (direction === 'write' && (this.filled.get(name) ?? 0) < length) return -ERRNO.ENODATA;
    this.write(fd, COMMAND, 2, BigInt(MEMORY_AND_BUS_MASTER));
    this.write(fd, SOURCE, 8, direction === 'read' ? iova : BUFFER);
    this.write(fd, DESTINATION, 8, direction === 'read' ? BUFFER : iova);
    this.write(fd, COUNT, 8, BigInt(length));
    this.write(fd, START, 8, direction === 'read' ? RUN : RUN | TO_MEMORY);
    this.wait(fd);
    if (direction === 'read') {
      this.filled.set(name, Math.max(this.filled.get(name) ?? 0, length));
    }
    return 0;
  }

  private wait(fd: number): void {
    for (let waited = 0; (this.read(fd, START, 4) ?? 0n) & RUN; waited += PAUSE_MS) {
      if (waited > PATIENCE_MS) throw new Error('The edu device does not end its transfer.');
      Atomics.wait(never, 0, 0, PAUSE_MS);
    }
  }

  private read(fd: number, offset: number, width: number): bigint | undefined {
    this.register[0] = 0n;
    return libc.readAt(fd, this.bytes, width, offset) === width ? this.register[0] : undefined;
  }

  private write(fd: number, offset: number, width: number, value: bigint): void {
    this.register[0] = value;
    if (libc.writeAt(fd, this.bytes, width, offset) !== width) {
      throw new Error(`The edu device's BAR cannot be written (errno ${libc.errno()}).`);
    }
  }
}
