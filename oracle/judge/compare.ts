// SPDX-License-Identifier: MIT
// Compares an observation with one allowed reply: the result, the kernel's choices, and every byte of memory that
// was read before and after.

import {
  copyOfBytes,
  putU32,
  putU64,
  sameBytes,
  u32At,
  u64At,
  zeroBytes,
} from '../../spec/abi/bytes.ts';
import { hexOf } from '../../spec/abi/bytes-text.ts';
import { errnoName } from '../../spec/abi/errno.ts';
import type { Choice, Reply } from '../../spec/outcome/outcome.ts';
import type { Observation, Segment } from '../../spec/terms/call.ts';
import type { Difference } from './verdict.ts';

/** Memory before the call, as far as it was read. */
type Before = readonly Segment[];

const EMPTY: readonly never[] = [];

const inWords = (result: number, errno: number): string =>
  errno === 0 ? `${result}` : `-1 ${errnoName(errno)}`;

/** Bytes at an address in one of the segments; undefined if none has them all. */
const bytesIn = (
  segments: readonly Segment[],
  address: bigint,
  length: number,
): Uint8Array | undefined => {
  for (const segment of segments) {
    const from = Number(address - segment.address);
    if (from >= 0 && from + length <= segment.bytes.length) {
      return segment.bytes.subarray(from, from + length);
    }
  }
  return undefined;
};

const numberIn = (bytes: Uint8Array): bigint =>
  bytes.length === 8 ? u64At(bytes, 0) : BigInt(u32At(bytes, 0));

const chosenValue = (choice: Choice, observation: Observation): bigint | undefined => {
  if (choice.location.in === 'result') return BigInt(observation.result);
  const bytes = bytesIn(observation.memory, choice.location.address, choice.location.width);
  return bytes === undefined ? undefined : numberIn(bytes);
};

export type Chosen =
  | { readonly kind: 'chosen'; readonly values: readonly bigint[] }
  | { readonly kind: 'unfit'; readonly difference: Difference }
  /** The observation does not show what was chosen. */
  | { readonly kind: 'not shown' };

const NONE: Chosen = { kind: 'chosen', values: EMPTY };

/** The kernel's choices in the observation. */
export const chosenIn = (reply: Reply, observation: Observation): Chosen => {
  if (reply.choices === undefined) return NONE;
  const values: bigint[] = [];
  for (const choice of reply.choices.list) {
    const value = chosenValue(choice, observation);
    if (value === undefined) return { kind: 'not shown' };
    const why = choice.unfit(value, values);
    if (why !== undefined) {
      return { kind: 'unfit', difference: { in: 'choice', what: choice.what, value, why } };
    }
    values.push(value);
  }
  return { kind: 'chosen', values };
};

const overlay = (bytes: Uint8Array, from: bigint, part: Uint8Array): void => {
  const offset = Number(from);
  if (offset >= 0 && offset + part.length <= bytes.length) {
    bytes.set(part, offset);
    return;
  }
  if (offset >= bytes.length || offset + part.length <= 0) return;
  const start = Math.max(0, -offset);
  bytes.set(part.subarray(start, start + bytes.length - Math.max(0, offset)), Math.max(0, offset));
};

const fieldOfValue = (value: bigint, width: 4 | 8): Uint8Array => {
  const bytes = zeroBytes(width);
  if (width === 8) putU64(bytes, 0, value);
  else putU32(bytes, 0, Number(BigInt.asUintN(32, value)));
  return bytes;
};

/** The expected bytes of a span of memory after the reply. */
const expectedBytes = (
  segment: Segment,
  observed: Segment,
  reply: Reply,
  values: readonly bigint[],
): Uint8Array => {
  const bytes = copyOfBytes(segment.bytes);
  for (const { address, bytes: written } of reply.writes) {
    overlay(bytes, address - segment.address, written);
  }
  const choices = reply.choices?.list ?? EMPTY;
  for (let index = 0; index < choices.length; index += 1) {
    const { location } = choices[index] as Choice;
    const value = values[index];
    if (location.in === 'memory' && value !== undefined) {
      overlay(bytes, location.address - segment.address, fieldOfValue(value, location.width));
    }
  }
  for (const { address, length } of reply.unknownBytes ?? EMPTY) {
    const from = Number(address - observed.address);
    if (from < 0 || from >= observed.bytes.length) continue;
    overlay(bytes, address - segment.address, observed.bytes.subarray(from, from + length));
  }
  return bytes;
};

const firstDifference = (expected: Uint8Array, observed: Uint8Array, at: bigint): Difference => {
  let from = 0;
  while (from < expected.length && expected[from] === observed[from]) from += 1;
  let end = Math.max(expected.length, observed.length);
  while (end > from + 1 && expected[end - 1] === observed[end - 1]) end -= 1;
  // Whole words of four bytes are clearer than single bytes.
  const start = from & ~3;
  const stop = (end + 3) & ~3;
  return {
    in: 'memory',
    address: at + BigInt(start),
    expected: hexOf(expected.subarray(start, stop)),
    observed: hexOf(observed.subarray(start, stop)),
  };
};

const meets = (a: bigint, aLength: number, b: bigint, bLength: number): boolean =>
  a === b ? aLength > 0 && bLength > 0 : a < b + BigInt(bLength) && b < a + BigInt(aLength);

/** Whether the reply leaves a span of memory unchanged. */
const leavesAlone = (reply: Reply, { address, bytes }: Segment): boolean => {
  for (const written of reply.writes) {
    if (meets(written.address, written.bytes.length, address, bytes.length)) return false;
  }
  for (const unknown of reply.unknownBytes ?? EMPTY) {
    if (meets(unknown.address, unknown.length, address, bytes.length)) return false;
  }
  return true;
};

/** Every difference of the observation from the reply; empty if there is none. */
export const differencesFrom = (
  reply: Reply,
  before: Before,
  observation: Observation,
  values: readonly bigint[],
): readonly Difference[] => {
  const differences: Difference[] = [];
  const choosesResult =
    reply.choices?.list.some(({ location }) => location.in === 'result') ?? false;
  if (
    reply.errno !== observation.errno ||
    (!choosesResult && reply.result !== observation.result)
  ) {
    differences.push({
      in: 'result',
      expected: inWords(reply.result, reply.errno),
      observed: inWords(observation.result, observation.errno),
    });
  }
  for (let index = 0; index < observation.memory.length; index += 1) {
    const observed = observation.memory[index] as Segment;
    const segment = before[index];
    if (segment === undefined) continue;
    const expected = leavesAlone(reply, segment)
      ? segment.bytes
      : expectedBytes(segment, observed, reply, values);
    if (!sameBytes(expected, observed.bytes)) {
      differences.push(firstDifference(expected, observed.bytes, segment.address));
    }
  }
  return differences;
};
