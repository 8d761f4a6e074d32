// SPDX-License-Identifier: MIT
// The descriptors of a process, as far as a log shows them. Of those that are not in the table nothing is known.

import type { LoggedFile } from './logged-file.ts';

export type Entry =
  | { readonly kind: 'open'; readonly file: LoggedFile }
  /** Closed, and what it was if that is known. */
  | { readonly kind: 'closed'; readonly file: LoggedFile | undefined };

/** With more, nothing is known of any. */
const ENTRIES_MAX = 4096;

export class DescriptorTable {
  #entries = new Map<number, Entry>();
  /** Counts changes, by descriptor: a call that took long sees whether others came between. */
  readonly #changes = new Map<number, number>();
  #changed = 0;
  #isKnown = true;

  /** A table of which nothing is known, and never will be. */
  static unknown(): DescriptorTable {
    const table = new DescriptorTable();
    table.#isKnown = false;
    return table;
  }

  copy(): DescriptorTable {
    const table = new DescriptorTable();
    table.#isKnown = this.#isKnown;
    table.#entries = new Map(this.#entries);
    return table;
  }

  at(fd: number): Entry | undefined {
    return this.#isKnown ? this.#entries.get(fd) : undefined;
  }

  set(fd: number, entry: Entry | undefined): void {
    this.#changed += 1;
    if (this.#changes.size >= ENTRIES_MAX || this.#entries.size >= ENTRIES_MAX) {
      this.#isKnown = false;
      this.#entries.clear();
      this.#changes.clear();
      return;
    }
    this.#changes.set(fd, this.#changed);
    if (entry === undefined) this.#entries.delete(fd);
    else this.#entries.set(fd, entry);
  }

  /** A number that grows with every change. */
  get now(): number {
    return this.#changed;
  }

  hasChangedSince(fd: number, then: number): boolean {
    return !this.#isKnown || (this.#changes.get(fd) ?? 0) > then;
  }

  /** From `first` to `last`, both inclusive. */
  *between(first: number, last: number): Generator<readonly [number, Entry]> {
    for (const entry of [...this.#entries]) {
      if (entry[0] >= first && entry[0] <= last) yield entry;
    }
  }

  /** A call may have opened any descriptor: those that were closed may be open. */
  dropClosed(): void {
    for (const [fd, { kind }] of this.between(0, Number.MAX_SAFE_INTEGER)) {
      if (kind === 'closed') this.set(fd, undefined);
    }
  }

  /** Nothing that was known holds any more. */
  drop(): void {
    for (const [fd] of this.between(0, Number.MAX_SAFE_INTEGER)) this.set(fd, undefined);
  }
}
