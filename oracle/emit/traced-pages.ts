// SPDX-License-Identifier: MIT
// The protection of each arena page during a program, from the results in the trace.

import type { Operation } from '../../model/programs/program.ts';
import type { TracedStep } from '../trace/step-json.ts';
import { ArenaPages } from './arena-use.ts';

const PAGE_SHIFT = 12n;
const PAGE_MASK = 0xfffn;

export class TracedPages {
  readonly pages: ArenaPages;
  /** The length in bytes of each memfd, by the label of what made it. */
  readonly #files = new Map<string, bigint>();

  constructor(base: bigint) {
    this.pages = new ArenaPages(base);
  }

  /** The operation was made; the trace has what it gave, unless it was not run. */
  passed(operation: Operation, step: TracedStep | undefined): void {
    if (operation.op === 'memfd') this.#files.set(operation.label, operation.length);
    else if (operation.op === 'munmap') this.pages.unmap(operation.offset, operation.length);
    else if (operation.op === 'mmap' && (step?.observation.result ?? 0) >= 0) this.#map(operation);
  }

  #map({ backing, offset, length, protection }: Extract<Operation, { op: 'mmap' }>): void {
    this.pages.map(offset, length, protection);
    if (backing.kind !== 'memfd' || typeof backing.fd === 'bigint' || !('from' in backing.fd)) {
      return;
    }
    const present = (this.#files.get(backing.fd.from) ?? 0n) - backing.offset;
    const whole = present <= 0n ? 0n : ((present + PAGE_MASK) >> PAGE_SHIFT) << PAGE_SHIFT;
    if (whole < length) this.pages.map(offset + whole, length - whole, 'none');
  }
}
