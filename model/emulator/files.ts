// SPDX-License-Identifier: MIT
// Open files with reference counts, and the process's table of descriptors. fs/file.c.

import { ERRNO } from '../../spec/abi/errno.ts';
import { MachineDied } from '../machine/machine.ts';

/** An open file. It is released when the last reference is put. */
export abstract class OpenFile {
  #references = 1;

  hold(): void {
    this.#references += 1;
  }

  put(): void {
    this.#references -= 1;
    if (this.#references < 0)
      throw new MachineDied('file put more often than held: unbalanced close');
    if (this.#references === 0) this.released();
  }

  /** The result, or -errno. A file without ioctls returns ENOTTY. */
  ioctl(_command: number, _argument: bigint): number {
    return -ERRNO.ENOTTY;
  }

  protected abstract released(): void;
}

/** 0, 1 and 2 are taken in every process. */
const FIRST_DESCRIPTOR = 3;

export class FileTable {
  /** `null` is a number that is reserved but has no file yet. */
  readonly #files: (OpenFile | null | undefined)[] = [];

  /** Reserves the lowest free number, until it is installed or cancelled. */
  reserve(): number {
    let index = 0;
    while (this.#files[index] !== undefined) index += 1;
    this.#files[index] = null;
    return index + FIRST_DESCRIPTOR;
  }

  cancel(fd: number): void {
    this.#files[fd - FIRST_DESCRIPTOR] = undefined;
  }

  install(fd: number, file: OpenFile): void {
    this.#files[fd - FIRST_DESCRIPTOR] = file;
  }

  open(file: OpenFile): number {
    const fd = this.reserve();
    this.install(fd, file);
    return fd;
  }

  get(fd: number): OpenFile | undefined {
    return this.#files[fd - FIRST_DESCRIPTOR] ?? undefined;
  }

  /** 0, or -EBADF. */
  close(fd: number): number {
    const file = this.get(fd);
    if (file === undefined) return -ERRNO.EBADF;
    this.cancel(fd);
    file.put();
    return 0;
  }

  /** The lowest descriptor of the file, or -1 if all are closed. */
  descriptorOf(file: OpenFile): number {
    const index = this.#files.indexOf(file);
    return index < 0 ? -1 : index + FIRST_DESCRIPTOR;
  }
}
