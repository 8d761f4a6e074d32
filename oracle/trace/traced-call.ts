// SPDX-License-Identifier: MIT
// Checks that the call on a line of a trace is the call of its operation, and that the observation fits: an edited
// trace must not be taken for a kernel's violation.

import type { Operation } from '../../model/programs/program.ts';
import {
  callOf,
  descriptorOf,
  dmaCallOf,
  type Execution,
  givenBy,
  PROCESS,
  prepare,
} from '../../model/programs/run.ts';
import { sameBytes } from '../../spec/abi/bytes.ts';
import { type Call, memoryRead, type Segment } from '../../spec/terms/call.ts';
import type { TracedStep } from './step-json.ts';

const madeBy = (operation: Operation, run: Execution): Call => {
  if (operation.op === 'dma') return dmaCallOf(operation, run);
  if (operation.op !== 'ioctl') return callOf(operation, run);
  const { argument, spans } = prepare(operation.argument, run);
  const fd = descriptorOf(operation.fd, run);
  const { command } = operation;
  return { kind: 'ioctl', process: PROCESS, fd, command, argument, memory: spans };
};

const isSame = (one: unknown, other: unknown): boolean => {
  if (one instanceof Uint8Array && other instanceof Uint8Array) return sameBytes(one, other);
  if (typeof one !== 'object' || one === null || typeof other !== 'object' || other === null) {
    return one === other;
  }
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => isSame(one[name as keyof object], other[name as keyof object]))
  );
};

/** The end of a span may be missing, where memory cannot be read. */
const isStart = (made: readonly Segment[], shown: readonly Segment[]): boolean =>
  made.length === shown.length &&
  made.every(
    ({ address, bytes }, index) =>
      shown[index]?.address === address && (shown[index]?.bytes.length ?? 0) <= bytes.length,
  );

const isOf = (made: Call, shown: Call): boolean =>
  made.kind === 'ioctl' || made.kind === 'dma'
    ? isSame({ ...made, memory: [] }, { ...shown, memory: [] }) &&
      isStart(made.memory, memoryRead(shown))
    : isSame(made, shown);

const areAlike = (before: readonly Segment[], after: readonly Segment[]): boolean =>
  before.length === after.length &&
  before.every(
    ({ address, bytes }, index) =>
      after[index]?.address === address && after[index]?.bytes.length === bytes.length,
  );

/** The calls of a trace, one after the other. */
export class TracedCalls {
  /** The call of the last operation, with the bytes that it stores. */
  made: Call | undefined;
  readonly #run: Execution;
  #isRun = true;

  /** `base` is the arena's address. */
  constructor(base: bigint) {
    this.#run = { base, given: new Map() };
  }

  /** The problem of the next line; undefined if there is none. */
  problem(operation: Operation, step: TracedStep | undefined): string | undefined {
    const wasRun = this.#isRun;
    this.#isRun = step !== undefined;
    if (step === undefined) return undefined;
    if (!wasRun) return 'there is a "call" after an operation without one';
    const { call, observation } = step;
    this.made = madeBy(operation, this.#run);
    if (!isOf(this.made, call)) {
      return '"call" is not the call that the operation makes';
    }
    if (!areAlike(memoryRead(call), observation.memory)) {
      return '"observation.memory" has other spans than "call.memory"';
    }
    const { result, memory } = observation;
    const given =
      operation.op === 'ioctl'
        ? givenBy(operation.argument, memory, result)
        : { result, struct: undefined };
    this.#run.given.set(operation.label, given);
    return undefined;
  }
}
