// A program while it is drawn: the operations so far, and what the specification expects to have come of them, so that
// the next operation can look at the world. Where the kernel may choose, what it is known to choose is taken.

import { fileDescriptor, userAddress } from '../../spec/abi/units.ts';
import type { Backing, Call, IoctlCall, Segment } from '../../spec/call.ts';
import { loadable } from '../../spec/memory/user-access.ts';
import type { Outcome } from '../../spec/outcome.ts';
import type { Setting } from '../../spec/platform.ts';
import { step, withStores } from '../../spec/step.ts';
import { emptyWorld, type World } from '../../spec/world.ts';
import { ARENA_BASE, REGIONS } from './arena.ts';
import type { Argument, Label, Operation, Value } from './program.ts';
import { outputsOf, type Place, PROCESS, prepare, resolve } from './run.ts';

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

type Expected = {
  readonly world: World;
  readonly result: number;
  readonly after: readonly Segment[];
};

const nothing = (world: World): Expected => ({ world, result: -1, after: [] });

const patched = (segment: Segment, writes: readonly Segment[]): Segment => {
  const bytes = new Uint8Array(segment.bytes);
  for (const { address, bytes: written } of writes) {
    const from = Number(address - segment.address);
    for (let index = 0; index < written.length; index += 1) {
      const at = from + index;
      if (at >= 0 && at < bytes.length) bytes[at] = written[index] as number;
    }
  }
  return { address: segment.address, bytes };
};

const expectedOf = (
  outcomes: readonly Outcome[],
  call: Call,
  memory: readonly Segment[],
): Expected => {
  const [outcome] = outcomes;
  if (outcome === undefined) throw new Error(`The specification has no outcome for ${call.kind}.`);
  if (outcome.kind === 'unspecified') {
    return nothing(outcome.world({ errno: 95, result: -1, after: new Uint8Array() }));
  }
  const { errno, result, writes } = outcome;
  return {
    world: withStores(outcome.world, call.process, writes),
    result: errno === 0 ? result : -errno,
    after: memory.map((segment) => patched(segment, writes)),
  };
};

export class Draft {
  readonly operations: Operation[] = [];
  readonly #place: Place;
  world: World;

  constructor(setting: Setting, base: bigint = ARENA_BASE) {
    this.world = startOfProgram(setting, base);
    this.#place = { base, results: new Map() };
  }

  /** A label that no operation has yet. */
  label(stem: string): Label {
    return `${stem}${this.operations.length + 1}`;
  }

  /** What a value stands for at this point. */
  valueOf(value: Value): bigint {
    return resolve(value, this.#place);
  }

  /** What the operation of that label gave. */
  output(label: Label, out: string): bigint | undefined {
    return this.#place.results.get(label)?.[out];
  }

  /** Adds an operation; the world is what is expected after it. True where it is expected to succeed. */
  add(operation: Operation): boolean {
    this.operations.push(operation);
    const { expected, outputs } = this.#expect(operation);
    this.world = expected.world;
    this.#place.results.set(operation.label, outputs);
    return expected.result >= 0;
  }

  #expect(operation: Operation): {
    readonly expected: Expected;
    readonly outputs: Readonly<Record<string, bigint>>;
  } {
    if (operation.op === 'ioctl') {
      const expected = this.#expectIoctl(operation.fd, operation.command, operation.argument);
      const outputs = outputsOf(operation.argument, expected.after, expected.result);
      return { expected, outputs };
    }
    const call = this.#callOf(operation);
    const expected = expectedOf(step(this.world, call), call, []);
    return { expected, outputs: { result: BigInt(Math.max(expected.result, 0)) } };
  }

  #expectIoctl(fd: Value, command: number, argument: Argument): Expected {
    const prepared = prepare(argument, this.#place);
    const memory = prepared.stretches.map((stretch) => ({
      address: stretch.address,
      bytes: loadable(this.world.memory, PROCESS, stretch),
    }));
    const call: IoctlCall = {
      kind: 'ioctl',
      process: PROCESS,
      fd: fileDescriptor(Number(BigInt.asIntN(32, this.valueOf(fd)))),
      command,
      argument: prepared.argument,
      memory,
    };
    return expectedOf(step(this.world, call), call, memory);
  }

  #callOf(operation: Exclude<Operation, { op: 'ioctl' }>): Call {
    const process = PROCESS;
    switch (operation.op) {
      case 'open':
        return { kind: 'open', process, path: operation.path };
      case 'close':
        return { kind: 'close', process, fd: fileDescriptor(Number(this.valueOf(operation.fd))) };
      case 'memfd':
        return { kind: 'memfd', process, length: operation.length };
      case 'mmap': {
        const { length, protection, shared, offset } = operation;
        const backing: Backing =
          operation.backing.kind === 'memfd'
            ? {
                kind: 'memfd',
                fd: fileDescriptor(Number(this.valueOf(operation.backing.fd))),
                offset: operation.backing.offset,
              }
            : operation.backing;
        const address = userAddress(this.#place.base + offset);
        return { kind: 'mmap', process, address, length, protection, shared, backing };
      }
      case 'munmap':
        return {
          kind: 'munmap',
          process,
          address: userAddress(this.#place.base + operation.offset),
          length: operation.length,
        };
      case 'store': {
        const address = userAddress(this.#place.base + operation.offset);
        const bytes = new Uint8Array(Buffer.from(operation.hex, 'hex'));
        return { kind: 'store', process, memory: { address, bytes } };
      }
    }
  }
}
