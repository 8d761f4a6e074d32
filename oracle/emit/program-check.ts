// SPDX-License-Identifier: MIT
// Checks that the kernel subject would run a program, before it is written as C: with the subject's own checks, on what
// is known about each call in advance. If an unknown value matters, the program is refused.

import { match } from 'ts-pattern';
import { ARENA_LENGTH } from '../../model/programs/arena.ts';
import { LAYOUTS, type Operation, type Value } from '../../model/programs/program.ts';
import { fieldOf } from '../../spec/abi/layout.ts';
import { CallCheck } from '../safety/call-check.ts';
import {
  checkArenaRange,
  checkCommand,
  checkLockedPages,
  checkPath,
  checkTransfer,
  isArenaPlace,
  isSafeHalves,
  takesValue,
  UnsafeCall,
} from '../safety/permitted.ts';
import type { TracedStep } from '../trace/step-json.ts';
import type { ArenaPages } from './arena-use.ts';
import { type Ioctl, isName } from './c-ioctl.ts';
import { layoutOf, type StructArgument, shownOf, tailOf } from './c-struct-argument.ts';
import { OUTPUT_DESCRIPTOR } from './descriptors.ts';
import type { Emission } from './emission-data.ts';
import { GroupUses } from './group-uses.ts';
import { KnownMemory, type PutByte } from './known-memory.ts';
import { mayBeVariable, structsAreApart } from './placement.ts';
import { TracedPages } from './traced-pages.ts';

/** A longer C file is of no use, and compilers take long for it. */
export const MOST_OPERATIONS = 10_000;

const HUGE_PAGE = 0x20_0000n;

/** No C is written for the program. */
export class RefusedProgram extends Error {
  override readonly name = 'RefusedProgram';
  /** The operation that is refused; undefined if the program is refused before its first operation. */
  readonly operation: Operation | undefined;
  readonly why: string;

  constructor(operation: Operation | undefined, why: string) {
    super(`No C is written for this program: ${why}`);
    this.operation = operation;
    this.why = why;
  }
}

/** What a C file must know of its program. */
export type CheckedProgram = {
  /** It may change the limit of the kernel's batch memory, which is one for all. */
  readonly changesLimit: boolean;
};

/** From here on descriptors may be the C file's own; below it makes sure that there are none. */
const isOwn = (fd: number): boolean => fd >= OUTPUT_DESCRIPTOR;

/** The bytes of a number; of one that is not known, as many that are not. */
const bytesOf = (value: bigint | undefined, width: number): readonly PutByte[] =>
  Array.from({ length: width }, (_, index) =>
    value === undefined ? undefined : Number((value >> BigInt(8 * index)) & 0xffn),
  );

class ProgramCheck {
  readonly #base: bigint;
  readonly #inVariables: boolean;
  readonly #memory: KnownMemory;
  readonly #calls: CallCheck;
  readonly #uses = new GroupUses();
  readonly #traced: TracedPages;
  /** The latest operation of each label. */
  readonly #latest = new Map<string, Operation>();

  constructor({ program, base }: Emission) {
    this.#base = base;
    this.#inVariables = structsAreApart(program, base);
    this.#memory = new KnownMemory(base);
    this.#calls = new CallCheck(this.#memory, isOwn);
    this.#traced = new TracedPages(base);
  }

  get changesLimit(): boolean {
    return this.#calls.limitChanged;
  }

  /** Throws UnsafeCall. */
  make(operation: Operation, step: TracedStep | undefined): void {
    this.#uses.check(operation);
    this.#check(operation);
    this.#memory.settle();
    this.#uses.passed(operation);
    this.#traced.passed(operation, step);
    this.#latest.set(operation.label, operation);
  }

  get #pages(): ArenaPages {
    return this.#traced.pages;
  }

  #check(operation: Operation): void {
    match(operation)
      .with({ op: 'open' }, ({ path }) => checkPath(path))
      .with({ op: 'close' }, ({ fd }) => this.#checkDescriptor(fd))
      .with({ op: 'ioctl' }, (ioctl) => this.#checkIoctl(ioctl))
      .with({ op: 'mmap' }, ({ offset, length, backing }) => {
        checkArenaRange(offset, length, ARENA_LENGTH);
        if (backing.kind === 'memfd') this.#checkDescriptor(backing.fd);
        // Kernels round the length of huge pages up.
        const whole = backing.kind === 'huge' ? length + HUGE_PAGE - 1n : length;
        const ofFile = backing.kind === 'memfd' || backing.kind === 'device';
        this.#memory.map(Number(offset), Number(whole), ofFile);
      })
      .with({ op: 'munmap' }, ({ offset, length }) => checkArenaRange(offset, length, ARENA_LENGTH))
      .with({ op: 'store' }, ({ offset, hex }) =>
        this.#put({ arena: offset }, [...Buffer.from(hex, 'hex')]),
      )
      .with({ op: 'dma' }, ({ fd, iova, length }) => {
        this.#checkDescriptor(fd);
        // An IOVA that is not known is checked by the C file when it is.
        checkTransfer(this.#known(iova) ?? 0n, length);
        this.#calls.checkTransfer();
      })
      .with({ op: 'memfd' }, { op: 'status' }, () => {})
      .exhaustive();
  }

  /** A number of 64 bits; undefined where it is known only when the program runs. */
  #known(value: Value): bigint | undefined {
    if (typeof value === 'bigint') return BigInt.asUintN(64, value);
    if ('arena' in value) return BigInt.asUintN(64, this.#base + value.arena);
    const operation = this.#latest.get(value.from);
    return operation !== undefined && gives(operation, value.out) ? undefined : 0n;
  }

  #checkDescriptor(value: Value): void {
    const known = this.#known(value);
    const fd = known === undefined ? -1 : Number(BigInt.asIntN(32, known));
    if (isOwn(fd)) throw new UnsafeCall(`Descriptor ${fd} may be the C program's own.`);
  }

  #checkIoctl(operation: Ioctl): void {
    const { fd, command, argument } = operation;
    checkCommand(command);
    this.#checkDescriptor(fd);
    if (argument.kind !== 'plain') this.#putArgument(operation);
    const address = this.#known(argument.kind === 'plain' ? argument.value : argument.at);
    if (address === undefined) {
      if (takesValue(command)) return;
      throw new UnsafeCall("The ioctl's argument is not known before the program runs.");
    }
    const high = Number(address >> 32n);
    const low = Number(address & 0xffff_ffffn);
    if (!isSafeHalves(high, low) && !takesValue(command)) {
      throw new UnsafeCall("The ioctl's argument may be an address of the C program's own memory.");
    }
    const offset = address - this.#base;
    if (offset >= 0n && offset < ARENA_LENGTH) this.#calls.check(command, Number(offset));
  }

  #putArgument(operation: Ioctl): void {
    const { argument } = operation;
    if (argument.kind === 'plain') return;
    if (argument.kind === 'bytes') {
      const bytes = [...Buffer.from(argument.hex, 'hex')];
      // It may be in a variable, and then it is not here.
      if (this.#inVariables && isName(operation))
        this.#put(
          argument.at,
          bytes.map(() => undefined),
        );
      else this.#put(argument.at, bytes);
      return;
    }
    const bytes = this.#structBytes(argument);
    const isVariable = this.#inVariables && mayBeVariable(operation, this.#base);
    this.#put(argument.at, bytes, isVariable);
    for (const { at, words } of argument.also ?? []) {
      this.#put(
        at,
        words.flatMap((word) => bytesOf(this.#known(word), 8)),
      );
    }
  }

  #structBytes(argument: StructArgument): readonly PutByte[] {
    const layout = layoutOf(argument);
    const bytes: PutByte[] = new Array(layout.size).fill(0);
    for (const [name, value] of Object.entries(argument.fields)) {
      if (!layout.fields.some((field) => field.name === name)) continue;
      const { offset, width } = fieldOf(layout, name);
      bytes.splice(offset, width, ...bytesOf(this.#known(value), width));
    }
    return [...bytes.slice(0, shownOf(argument)), ...tailOf(argument)];
  }

  /** As many of the bytes as the C file puts there: `whole` for all, whatever the page allows. */
  #put(at: Value, bytes: readonly PutByte[], whole = false): void {
    const address = this.#known(at);
    if (address === undefined) {
      throw new UnsafeCall('Where memory is to be prepared is not known before the program runs.');
    }
    const there = whole ? bytes.length : this.#pages.readable(address, bytes.length);
    this.#memory.put(Number(address - this.#base), bytes.slice(0, there));
  }
}

/** Whether the operation gives something of that name. */
const gives = (operation: Operation, out: string): boolean => {
  if (out === 'result') return true;
  if (operation.op !== 'ioctl' || operation.argument.kind !== 'struct') return false;
  const layout = LAYOUTS.get(operation.argument.layout);
  return layout?.fields.some(({ name }) => name === out) ?? false;
};

/** Throws RefusedProgram where the kernel subject would not run the program, or might not. */
export const checkedProgram = (emission: Emission): CheckedProgram => {
  const { program, base, steps, setting } = emission;
  const first = program[MOST_OPERATIONS];
  if (first !== undefined) {
    throw new RefusedProgram(first, `it has more than ${MOST_OPERATIONS} operations.`);
  }
  if (!isArenaPlace(base, ARENA_LENGTH)) {
    throw new RefusedProgram(undefined, 'its arena may overlap other memory.');
  }
  let present: Operation | undefined;
  try {
    checkLockedPages(setting.credentials.lockedBefore ?? 0);
    const check = new ProgramCheck(emission);
    program.forEach((operation, index) => {
      present = operation;
      check.make(operation, steps[index]);
    });
    return { changesLimit: check.changesLimit };
  } catch (error) {
    if (!(error instanceof UnsafeCall)) throw error;
    throw new RefusedProgram(present, error.message);
  }
};
