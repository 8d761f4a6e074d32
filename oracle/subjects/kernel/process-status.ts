// SPDX-License-Identifier: MIT
// VmLck and VmPin of this process, beyond what they were before the program.

import type { StatusField } from '../../../spec/terms/call.ts';
import * as libc from './libc.ts';

const LONGEST = 8192;
const KIB_A_PAGE = 4;

export class ProcessStatus {
  private readonly fd = libc.openFile('/proc/self/status', libc.O_RDONLY | libc.O_CLOEXEC);
  private readonly buffer = Buffer.alloc(LONGEST);
  private before: Readonly<Record<StatusField, number>> | undefined;

  /** A program begins. What earlier ones left counts for it, unless it is to be `fresh`. */
  start(fresh: boolean): void {
    if (fresh) this.before = undefined;
    this.before ??= { VmLck: this.read('VmLck'), VmPin: this.read('VmPin') };
  }

  pages(field: StatusField): number {
    return this.read(field) - (this.before?.[field] ?? 0);
  }

  private read(field: StatusField): number {
    const length = libc.readAt(this.fd, this.buffer, LONGEST, 0);
    const at = this.buffer.indexOf(`${field}:`);
    if (length <= 0 || at < 0 || at >= length) {
      throw new Error(`/proc/self/status has no ${field} (errno ${libc.errno()}).`);
    }
    const line = this.buffer.toString('latin1', at + field.length + 1, at + 40);
    return Number.parseInt(line, 10) / KIB_A_PAGE;
  }
}
