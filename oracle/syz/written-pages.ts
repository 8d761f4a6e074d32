// SPDX-License-Identifier: MIT
// Which pages of a program can be read and not written. A program's structs are put there all the same; syzkaller writes
// them as the program itself would, and leaves them out there.

import { REGIONS } from '../../model/programs/arena.ts';
import type { Operation } from '../../model/programs/program.ts';
import { RefusedSyz } from './write-values.ts';

const PAGE = 4096n;

type Span = { readonly offset: bigint; readonly length: bigint };

/** What a call puts into memory. */
const putBy = (operation: Operation): readonly Span[] => {
  if (operation.op === 'store') {
    return [{ offset: operation.offset, length: BigInt(operation.hex.length >> 1) }];
  }
  if (operation.op !== 'ioctl' || operation.argument.kind === 'plain') return [];
  const { argument } = operation;
  const also = argument.kind === 'struct' ? (argument.also ?? []) : [];
  return [
    { at: argument.at, length: 72n },
    ...also.map(({ at, words }) => ({ at, length: BigInt(8 * words.length) })),
  ].flatMap(({ at, length }) =>
    typeof at === 'object' && 'arena' in at ? [{ offset: at.arena, length }] : [],
  );
};

export class WrittenPages {
  readonly #readOnly = new Set<bigint>();

  constructor() {
    for (const { offset, length, protection } of REGIONS) {
      if (protection === 'read') this.#each({ offset, length }, (page) => this.#readOnly.add(page));
    }
  }

  /** Throws RefusedSyz. */
  requireWritable(operation: Operation): void {
    for (const span of putBy(operation)) {
      this.#each(span, (page) => {
        if (!this.#readOnly.has(page)) return;
        throw new RefusedSyz('syzkaller puts nothing into memory that can only be read.');
      });
    }
  }

  passed(operation: Operation): void {
    if (operation.op !== 'mmap' && operation.op !== 'munmap') return;
    const isReadOnly = operation.op === 'mmap' && operation.protection === 'read';
    this.#each(operation, (page) => {
      if (isReadOnly) this.#readOnly.add(page);
      else this.#readOnly.delete(page);
    });
  }

  #each({ offset, length }: Span, take: (page: bigint) => void): void {
    for (let page = offset - (offset % PAGE); page < offset + length; page += PAGE) take(page);
  }
}
