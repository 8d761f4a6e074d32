// SPDX-License-Identifier: MIT
// A program while it is generated: the operations so far and the replies that the specification
// expects, so that the next operation can depend on the world. For choices it takes what kernels
// are known to choose.

import { copyOfBytes } from '../../spec/abi/bytes.ts';
import { fileDescriptor, userAddress } from '../../spec/abi/units.ts';
import { loadable } from '../../spec/memory/user-access.ts';
import type { Outcome } from '../../spec/outcome/outcome.ts';
import { emptyWorld, type World } from '../../spec/state/world.ts';
import { step, withStores } from '../../spec/step.ts';
import {
  type Call,
  type DmaCall,
  type IoctlCall,
  memoryRead,
  type Segment,
} from '../../spec/terms/call.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import type { Rule } from '../../spec/terms/rule.ts';
import { ARENA_BASE, REGIONS } from './arena.ts';
import type { Label, Operation, Value } from './program.ts';
import {
  callOf,
  dmaCallOf,
  type Execution,
  type Given,
  givenBy,
  outputOf,
  PROCESS,
  prepare,
  resolve,
} from './run.ts';

/** The world in which a program starts: its arena is mapped. */
export const startOfProgram = (setting: Setting, base: bigint = ARENA_BASE): World => {
  let world = emptyWorld(setting, 'complete');
  for (const { offset, length, protection, shared, backing } of REGIONS) {
    const address = userAddress(base + offset);
    const call: Call = {
      kind: 'mmap',
      process: PROCESS,
      address,
      length,
      protection,
      shared,
      backing: { kind: backing },
    };
    const [mapped] = step(world, call);
    if (mapped?.kind !== 'reply') throw new Error('The arena could not be mapped.');
    world = mapped.world;
  }
  return world;
};

/** The expected reply of a call, as known kernels give it, and the world that follows. */
export type Expectation = {
  readonly call: Call;
  readonly rule: Rule | undefined;
  /** -errno if it fails. */
  readonly result: number;
  /** The memory that is read after the call. */
  readonly after: readonly Segment[];
  readonly world: World;
};

const patched = (segment: Segment, writes: readonly Segment[]): Segment => {
  const bytes = copyOfBytes(segment.bytes);
  for (const { address, bytes: written } of writes) {
    const from = Number(address - segment.address);
    if (from >= 0 && from + written.length <= bytes.length) {
      bytes.set(written, from);
      continue;
    }
    for (let index = 0; index < written.length; index += 1) {
      const at = from + index;
      if (at >= 0 && at < bytes.length) bytes[at] = written[index] as number;
    }
  }
  return { address: segment.address, bytes };
};

const expectationOf = (outcomes: readonly Outcome[], call: Call): Expectation => {
  const memory = memoryRead(call);
  const [outcome] = outcomes;
  if (outcome === undefined) throw new Error(`The specification has no outcome for ${call.kind}.`);
  if (outcome.kind === 'unspecified') {
    const world = outcome.world({ errno: 95, result: -1, after: new Uint8Array() });
    return { call, rule: undefined, result: -1, after: memory, world };
  }
  const { errno, result, writes, rule } = outcome;
  return {
    call,
    rule: outcome.unknown === undefined && outcome.deviation === undefined ? rule : undefined,
    result: errno === 0 ? result : -errno,
    after: writes.length === 0 ? memory : memory.map((segment) => patched(segment, writes)),
    world: withStores(outcome.world, call.process, writes),
  };
};

export class ProgramBuilder {
  readonly operations: Operation[] = [];
  /** The expected reply of each operation. */
  readonly expectations: Expectation[] = [];
  readonly #run: Execution;
  world: World;

  constructor(start: World, base: bigint = ARENA_BASE) {
    this.world = start;
    this.#run = { base, given: new Map() };
  }

  /** An independent builder with the same operations. */
  fork(): ProgramBuilder {
    const builder = new ProgramBuilder(this.world, this.#run.base);
    builder.operations.push(...this.operations);
    builder.expectations.push(...this.expectations);
    for (const [label, given] of this.#run.given) builder.#run.given.set(label, given);
    return builder;
  }

  /** A label that no operation has yet. */
  label(stem: string): Label {
    return `${stem}${this.operations.length + 1}`;
  }

  /** The number that a value has at this point. */
  valueOf(value: Value): bigint {
    return resolve(value, this.#run);
  }

  /** The expected output of the operation with that label; 0 if it has no such output. */
  output(label: Label, out: string): bigint {
    return outputOf(this.#run.given.get(label), out);
  }

  /**
   * Adds an operation; the world becomes the expected one. Returns whether it is expected to
   * succeed.
   */
  add(operation: Operation): boolean {
    this.operations.push(operation);
    const expectation = this.#expect(operation);
    this.expectations.push(expectation);
    this.world = expectation.world;
    this.#run.given.set(operation.label, this.#given(operation, expectation));
    return expectation.result >= 0;
  }

  /** Removes the operations from index `count`; `world` is the one before it. */
  backTo(count: number, world: World): void {
    for (const { label } of this.operations.splice(count)) this.#run.given.delete(label);
    this.expectations.splice(count);
    this.world = world;
  }

  #given(operation: Operation, { result, after }: Expectation): Given {
    return operation.op === 'ioctl'
      ? givenBy(operation.argument, after, result)
      : { result, struct: undefined };
  }

  #expect(operation: Operation): Expectation {
    const call = this.#callOf(operation);
    return expectationOf(step(this.world, call), call);
  }

  #callOf(operation: Operation): Call {
    if (operation.op === 'ioctl') return this.#ioctlOf(operation);
    return operation.op === 'dma' ? this.#dmaOf(operation) : callOf(operation, this.#run);
  }

  #ioctlOf({ fd, command, argument }: Extract<Operation, { op: 'ioctl' }>): IoctlCall {
    const prepared = prepare(argument, this.#run);
    const memory = this.#loaded(prepared.spans);
    return {
      kind: 'ioctl',
      process: PROCESS,
      fd: fileDescriptor(Number(BigInt.asIntN(32, this.valueOf(fd)))),
      command,
      argument: prepared.argument,
      memory,
    };
  }

  #loaded(spans: readonly Segment[]): readonly Segment[] {
    return spans.map((span) => ({
      address: span.address,
      bytes: loadable(this.world.memory, PROCESS, span),
    }));
  }

  #dmaOf(operation: Extract<Operation, { op: 'dma' }>): DmaCall {
    const call = dmaCallOf(operation, this.#run);
    return { ...call, memory: this.#loaded(call.memory) };
  }
}
