// SPDX-License-Identifier: MIT
// A program while it is made of the calls of a syzkaller program: the operations so far with their lines, and what was
// left out. Arena offsets are bytes from the start of syzkaller's data area.

import type { Label, Operation, Value } from '../../model/programs/program.ts';
import { hexOf } from '../../spec/abi/bytes-text.ts';
import { OpenPlaces } from './call-memory.ts';
import { offsetOfPointer } from './data-area.ts';
import { NotCarriedOver } from './not-carried-over.ts';
import { Results } from './results.ts';
import type { SyzArgument } from './tree.ts';

/** Fuzzers make programs of tens of calls. */
export const SYZ_OPERATIONS_MAX = 10_000;

/** Bytes that the calls of a program put into memory, all together: short text may stand for many. */
const PUT_MAX = 16 << 20;

/** Bytes that the operation has in itself. */
const putBy = (operation: Operation): number => {
  if (operation.op === 'store') return operation.hex.length >> 1;
  if (operation.op !== 'ioctl') return 0;
  const { argument } = operation;
  if (argument.kind === 'plain') return 0;
  if (argument.kind === 'bytes') return argument.hex.length >> 1;
  const words = (argument.also ?? []).reduce((sum, put) => sum + 8 * put.words.length, 0);
  return ((argument.tail ?? '').length >> 1) + words;
};

export type LinedOperation = { readonly line: number; readonly operation: Operation };

/** What of a line is not as the program says. */
export type SyzNote = { readonly line: number; readonly what: string };

export class ConvertContext {
  readonly results = new Results();
  readonly places = new OpenPlaces();
  readonly operations: LinedOperation[] = [];
  readonly notes: SyzNote[] = [];
  /** Of the call that is converted. */
  line = 0;
  readonly #fills: { readonly offset: bigint; readonly bytes: Uint8Array }[] = [];
  #count = 0;
  #put = 0;

  label(stem: string): Label {
    this.#count += 1;
    return `${stem}${this.#count}`;
  }

  /** Throws NotCarriedOver behind the last that a program may have. */
  push(operation: Operation): void {
    this.endFills();
    if (this.operations.length === SYZ_OPERATIONS_MAX) {
      throw new NotCarriedOver(`a program has at most ${SYZ_OPERATIONS_MAX} operations`);
    }
    this.#put += putBy(operation);
    if (this.#put > PUT_MAX) {
      throw new NotCarriedOver(`a program puts at most ${PUT_MAX >> 20} MiB into memory`);
    }
    this.operations.push({ line: this.line, operation });
  }

  /** The program's own bytes. */
  store(offset: bigint, bytes: Uint8Array): void {
    this.push({ op: 'store', label: this.label('store'), offset, hex: hexOf(bytes) });
  }

  /** Bytes for the next call to find: what a pointer of its struct points at, or else a store of their own. */
  fill(offset: bigint, bytes: Uint8Array): void {
    this.#fills.push({ offset, bytes });
  }

  /** The bytes that were put there for this call, if there are as many. */
  takeFill(offset: bigint, length: number): Uint8Array | undefined {
    const index = this.#fills.findIndex(
      (fill) => fill.offset === offset && fill.bytes.length === length,
    );
    return index < 0 ? undefined : this.#fills.splice(index, 1)[0]?.bytes;
  }

  /** Behind the last call. */
  endFills(): void {
    for (const { offset, bytes } of this.#fills.splice(0)) this.store(offset, bytes);
  }

  note(what: string): void {
    this.notes.push({ line: this.line, what });
  }

  /** A number, or a result of an earlier call. Throws NotCarriedOver. */
  number(argument: SyzArgument | undefined, what: string): Value {
    switch (argument?.kind) {
      case 'number':
        return argument.value;
      case 'nil':
        return 0n;
      case 'result':
        return this.results.value(argument);
      default:
        throw new NotCarriedOver(`${what} is missing, or no number`);
    }
  }

  /** A number that is written in the program. Throws NotCarriedOver. */
  constant(argument: SyzArgument | undefined, what: string): bigint {
    if (argument?.kind === 'number') return argument.value;
    throw new NotCarriedOver(`${what} is missing, or no number that is known here`);
  }

  /** Bytes from the area's start to the memory that an argument names. Throws NotCarriedOver. */
  memory(argument: SyzArgument | undefined): bigint {
    const address =
      argument?.kind === 'pointer'
        ? argument.address
        : argument?.kind === 'number'
          ? argument.value
          : undefined;
    const offset = address === undefined ? undefined : offsetOfPointer(address);
    if (offset !== undefined) return offset;
    throw new NotCarriedOver("the address is not in syzkaller's memory from 0x7f0000000000 on");
  }
}
