// SPDX-License-Identifier: MIT
// What the names of a syzkaller program stand for: results of earlier calls, and descriptors that were duplicated.

import type { ResultOf, Value } from '../../model/programs/program.ts';
import { NO_DESCRIPTOR } from './no-descriptor.ts';
import { NotCarriedOver } from './not-carried-over.ts';
import type { SyzArgument } from './tree.ts';

/** A descriptor that several names may share, after dup(). */
type Descriptor = { readonly value: ResultOf; open: number };

type Known =
  | { readonly kind: 'value'; readonly value: ResultOf }
  | { readonly kind: 'descriptor'; readonly descriptor: Descriptor; isClosed: boolean }
  /** A call that fails was to give it, or what it gave can be used for nothing here. */
  | { readonly kind: 'none' }
  /** A call that is skipped gave it. */
  | { readonly kind: 'skipped'; readonly line: number };

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

  /** The descriptor of a call that fails. */
  giveNone(name: string | undefined): void {
    if (name !== undefined) this.#known.set(name, { kind: 'none' });
  }

  /** The call on that line is skipped. */
  giveSkipped(name: string, line: number): void {
    this.#known.set(name, { kind: 'skipped', line });
  }

  /** `name` is another descriptor of the file of `source`. False where that is no descriptor of the program. */
  duplicate(source: string, name: string): boolean {
    const known = this.#descriptorOf(source);
    if (known?.kind === 'none') this.giveNone(name);
    if (known?.kind !== 'descriptor') return known !== undefined;
    known.descriptor.open += 1;
    this.#known.set(name, { kind: 'descriptor', descriptor: known.descriptor, isClosed: false });
    return true;
  }

  /** A field that the kernel wrote may be a descriptor. */
  #descriptorOf(name: string): Exclude<Known, { kind: 'value' | 'skipped' }> | undefined {
    const known = this.#known.get(name);
    if (known === undefined || known.kind === 'skipped') return undefined;
    if (known.kind === 'descriptor' && known.isClosed) return { kind: 'none' };
    if (known.kind !== 'value') return known;
    const { value } = known;
    this.giveDescriptor(name, value);
    return this.#descriptorOf(name);
  }

  /** What closing the name closes: a value, or nothing where another name has the file open, or none has. */
  close(name: string): Value | 'stays open' | 'none' {
    const value = this.#valueOf(name);
    const known = this.#known.get(name);
    if (known?.kind === 'none') return 'none';
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
      case 'none':
        return NO_DESCRIPTOR;
      case 'descriptor':
        return known.isClosed ? NO_DESCRIPTOR : known.descriptor.value;
      case 'skipped':
        throw new NotCarriedOver(
          `"${name}" is of the call on line ${known.line}, which is skipped`,
        );
    }
  }
}
