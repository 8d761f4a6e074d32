// SPDX-License-Identifier: MIT
// Values of a program as text of a syzkaller program: numbers, results under names, and memory in the data area.

import { mayGive } from '../../model/programs/dangling.ts';
import type { Operation, Program, Value } from '../../model/programs/program.ts';
import { AREA_LENGTH, TEXT_BASE } from './data-area.ts';

/** No syzkaller program does what an operation does. */
export class RefusedSyz extends Error {
  override readonly name = 'RefusedSyz';
}

export const number = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`;

/** Throws RefusedSyz for an offset outside of the area. */
export const address = (offset: bigint): string => {
  if (offset >= 0n && offset < AREA_LENGTH) return number(TEXT_BASE + offset);
  throw new RefusedSyz('an address lies outside of the 16 MiB that a syzkaller program has.');
};

/** What operations give that later ones use, each with a name; the latest of a label counts. */
export class ResultNames {
  readonly #uses = new Set<string>();
  readonly #names = new Map<string, string>();
  readonly #latest = new Map<string, Operation>();
  #count = 0;

  constructor(program: Program) {
    const note = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      if ('from' in value && 'out' in value) this.#uses.add(`${value.from} ${value.out}`);
      else for (const part of Object.values(value)) note(part);
    };
    note(program);
  }

  /** Whether a later operation may use it. */
  isUsed(label: string, out: string): boolean {
    return this.#uses.has(`${label} ${out}`);
  }

  /** A new name for what the operation gives. */
  give(label: string, out: string): string {
    const name = `r${this.#count}`;
    this.#count += 1;
    this.#names.set(`${label} ${out}`, name);
    return name;
  }

  /** Behind an operation. */
  passed(operation: Operation): void {
    this.#latest.set(operation.label, operation);
  }

  operation(label: string): Operation | undefined {
    return this.#latest.get(label);
  }

  /** The name of what an earlier operation gave; undefined for one that gives nothing of the kind, which is 0. */
  name({ from, out }: { readonly from: string; readonly out: string }): string | undefined {
    if (!mayGive(this.#latest.get(from), out)) return undefined;
    const name = this.#names.get(`${from} ${out}`);
    if (name !== undefined) return name;
    throw new RefusedSyz(`syzkaller gives no name to ${out} of operation ${from}.`);
  }

  /** A number, or the name of a result. Throws RefusedSyz for memory. */
  text(value: Value): string {
    if (typeof value === 'bigint') return number(value);
    if ('arena' in value) throw new RefusedSyz('an address is in the place of a number.');
    return this.name(value) ?? '0x0';
  }
}
