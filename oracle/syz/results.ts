// SPDX-License-Identifier: MIT
// What the names of a syzkaller program stand for: results of earlier calls, and descriptors that were duplicated.

import type { ResultOf, Value } from '../../model/programs/program.ts';
import { NotCarriedOver } from './not-carried-over.ts';
import type { SyzArgument } from './tree.ts';

/** A descriptor that several names may share, after dup(). */
type Descriptor = { readonly value: ResultOf; open: number };

type Known =
  | { readonly kind: 'value'; readonly value: ResultOf }
  | { readonly kind: 'descriptor'; readonly descriptor: Descriptor; isClosed: boolean }
  /** A call that is skipped gave it. */
  | { readonly kind: 'skipped'; readonly line: number };

/** What a descriptor is that no program has open. */
const NO_DESCRIPTOR = 0xffff_ffffn;

export class Results {
  readonly #known = new Map<string, Known>();

  /** A field that the kernel wrote. */
  give(name: string, value: ResultOf): void {
    this.#known.set(name, { kind: 'value', value });
  }

  giveDescriptor(name: string | undefined, value: ResultOf): void {
    if (name === undefined) return;
    this.#known.set(name, {
      kind: 'descriptor',
      descriptor: { value, open: 1 },
      isClosed: false,
    });
  }

  /** The call on that line is skipped. */
  giveSkipped(name: string, line: number): void {
    this.#known.set(name, { kind: 'skipped', line });
  }

  /** `name` is another descriptor of the file of `source`. False where that is no descriptor of the program. */
  duplicate(source: string, name: string): boolean {
    const known = this.#known.get(source);
    if (known?.kind !== 'descriptor' || known.isClosed) return false;
    known.descriptor.open += 1;
    this.#known.set(name, { kind: 'descriptor', descriptor: known.descriptor, isClosed: false });
    return true;
  }

  /** What closing the name closes: a value, or nothing where another name has the file open. */
  close(name: string): Value | 'stays open' {
    const value = this.#valueOf(name);
    const known = this.#known.get(name);
    if (known?.kind !== 'descriptor' || known.isClosed) return value;
    if (known.descriptor.open === 1) return value;
    known.descriptor.open -= 1;
    known.isClosed = true;
    return 'stays open';
  }

  isSkipped(name: string): boolean {
    return this.#known.get(name)?.kind === 'skipped';
  }

  /** Throws NotCarriedOver. */
  value({ name, divisor, increment }: Extract<SyzArgument, { kind: 'result' }>): Value {
    if (divisor !== 1n || increment !== 0n) {
      throw new NotCarriedOver(`"${name}" is changed by "/" or "+", which no program here has`);
    }
    return this.#valueOf(name);
  }

  #valueOf(name: string): Value {
    const known = this.#known.get(name);
    if (known === undefined) throw new NotCarriedOver(`no earlier call gives "${name}"`);
    switch (known.kind) {
      case 'value':
        return known.value;
      case 'descriptor':
        return known.isClosed ? NO_DESCRIPTOR : known.descriptor.value;
      case 'skipped':
        throw new NotCarriedOver(
          `"${name}" is of the call on line ${known.line}, which is skipped`,
        );
    }
  }
}
