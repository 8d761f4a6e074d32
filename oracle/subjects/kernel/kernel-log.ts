// SPDX-License-Identifier: MIT
// New lines of the kernel's log, from /dev/kmsg.

import * as libc from './libc.ts';

const PATH = '/dev/kmsg';
/** Resets the WARN_ONCE warnings. */
const CLEAR_WARN_ONCE = '/sys/kernel/debug/clear_warn_once';
const ONE = Buffer.from('1');
const RECORD_LENGTH = 8192;
/** Lines were overwritten before they were read. */
const EPIPE = 32;
/** Emergency to warning; all lines of a WARN, an oops and a sanitizer's report are at most this. */
const WORST_LEVELS = 4;

/** Harmless warnings of opening a device. */
const HARMLESS = /^vfio-pci .*: (resetting|reset done)$/;

/** "priority,sequence,time,flags;text", then lines for machines that begin with a space. */
const textOf = (record: string): string => {
  const text = record.slice(record.indexOf(';') + 1);
  const end = text.indexOf('\n');
  return end < 0 ? text : text.slice(0, end);
};

/** Every line that the kernel still has; empty if the log cannot be read. */
export const wholeLog = (): readonly string[] => {
  const fd = libc.openFile(PATH, libc.O_RDONLY | libc.O_NONBLOCK | libc.O_CLOEXEC);
  const buffer = Buffer.alloc(RECORD_LENGTH);
  const lines: string[] = [];
  while (fd >= 0) {
    const length = libc.readFile(fd, buffer, RECORD_LENGTH);
    if (length >= 0) lines.push(textOf(buffer.toString('latin1', 0, length)));
    else if (libc.errno() !== EPIPE) break;
  }
  if (fd >= 0) libc.closeFile(fd);
  return lines;
};

export class KernelLog {
  private readonly fd: number;
  /** Opened at once: the process may give up its rights later. */
  private readonly clearFile: number;
  private readonly buffer = Buffer.alloc(RECORD_LENGTH);

  /** Earlier lines are skipped. */
  constructor() {
    this.fd = libc.openFile(PATH, libc.O_RDONLY | libc.O_NONBLOCK | libc.O_CLOEXEC);
    this.clearFile = libc.openFile(CLEAR_WARN_ONCE, libc.O_WRONLY | libc.O_CLOEXEC);
    this.complaints([]);
  }

  /**
   * Adds the lines of level warning and worse since the last time, and returns whether there are any; none if
   * the log cannot be read.
   */
  complaints(lines: string[]): boolean {
    if (this.fd < 0) return false;
    const before = lines.length;
    for (;;) {
      const length = libc.readFile(this.fd, this.buffer, RECORD_LENGTH);
      if (length >= 0) this.take(length, lines);
      else if (libc.errno() !== EPIPE) break;
    }
    if (lines.length === before) return false;
    if (this.clearFile >= 0) libc.writeFile(this.clearFile, ONE, ONE.length);
    return true;
  }

  private take(length: number, lines: string[]): void {
    const record = this.buffer.toString('latin1', 0, length);
    if ((Number.parseInt(record, 10) & 7) > WORST_LEVELS) return;
    const line = textOf(record);
    if (!HARMLESS.test(line)) lines.push(line);
  }
}
