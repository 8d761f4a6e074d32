// SPDX-License-Identifier: MIT
// How an observation differs from an allowed reply, field by field. The judge compares bytes; here they are named.

import { sameBytes } from '../../spec/abi/bytes.ts';
import { bytesOfHex } from '../../spec/abi/bytes-text.ts';
import type { IoctlCall, Observation, Segment } from '../../spec/terms/call.ts';
import type { CallShape } from '../decode/call-shape.ts';
import { bytesIn, type MemoryPart, memoryPartsOf, partName } from '../decode/memory-layout.ts';
import type { Difference, Rejected } from '../judge/verdict.ts';
import { bytesText, hex } from '../text/quantities.ts';
import { BUFFER_BYTES_SHOWN } from '../text/verbosity.ts';

export type FieldDifference =
  | { readonly kind: 'result'; readonly expected: string; readonly observed: string }
  | {
      readonly kind: 'field';
      readonly name: string;
      /** The bytes before the call. */
      readonly before: string;
      readonly expected: string;
      readonly observed: string;
      readonly note: 'was not written' | 'must be left as it was' | undefined;
    }
  | {
      readonly kind: 'choice';
      readonly what: string;
      readonly value: string;
      readonly why: string;
    };

type MemoryDifference = Extract<Difference, { in: 'memory' }>;

/** The bytes of the judge's hexadecimal digits. */
const bytesOf = (digits: string): Uint8Array => bytesOfHex(digits) ?? new Uint8Array();

/** The part's bytes in the reply: the observed ones, overwritten with the difference's. */
const expectedAt = (part: MemoryPart, observed: Uint8Array, difference: MemoryDifference) => {
  const bytes = new Uint8Array(observed);
  const expected = bytesOf(difference.expected);
  expected.forEach((byte, index) => {
    const at = difference.address + BigInt(index) - part.address;
    if (at >= 0n && at < BigInt(bytes.length)) bytes[Number(at)] = byte;
  });
  return bytes;
};

const noteOf = (
  before: Uint8Array,
  observed: Uint8Array,
  isWritten: boolean,
): Extract<FieldDifference, { kind: 'field' }>['note'] => {
  if (!isWritten) return 'must be left as it was';
  return sameBytes(before, observed) ? 'was not written' : undefined;
};

const meets = (part: MemoryPart, { address, bytes }: Segment): boolean =>
  part.address < address + BigInt(bytes.length) && address < part.address + BigInt(part.length);

const ofPart = (
  part: MemoryPart,
  call: IoctlCall,
  observation: Observation,
  difference: MemoryDifference,
  writes: readonly Segment[],
): readonly FieldDifference[] => {
  const observed = bytesIn(observation.memory, part.address, part.length);
  const before = bytesIn(call.memory, part.address, part.length);
  const expected = expectedAt(part, observed, difference);
  if (observed.length < part.length || sameBytes(observed, expected)) return [];
  return [
    {
      kind: 'field',
      name: part.name,
      before: part.text(before),
      expected: part.text(expected),
      observed: part.text(observed),
      note: noteOf(
        before,
        observed,
        writes.some((written) => meets(part, written)),
      ),
    },
  ];
};

const overlaps = (part: MemoryPart, difference: MemoryDifference): boolean => {
  const length = BigInt(Math.max(difference.expected.length, difference.observed.length) / 2);
  return (
    part.address < difference.address + length &&
    difference.address < part.address + BigInt(part.length)
  );
};

const raw = (
  call: IoctlCall | undefined,
  { reply }: Rejected,
  difference: MemoryDifference,
): FieldDifference => {
  const text = (digits: string): string =>
    digits === '' ? 'no bytes' : bytesText(bytesOf(digits), BUFFER_BYTES_SHOWN);
  const { address, expected, observed } = difference;
  const length = Math.max(expected.length, observed.length) / 2;
  const isWritten = reply.writes.some(
    (written) =>
      address < written.address + BigInt(written.bytes.length) &&
      written.address < address + BigInt(length),
  );
  return {
    kind: 'field',
    name: partName(call, address, length),
    before: '',
    expected: text(expected),
    observed: text(observed),
    note: isWritten ? undefined : 'must be left as it was',
  };
};

const chosenText = (what: string, value: bigint): string =>
  what === 'an IOVA' ? hex(value) : `${value}`;

/** The differences from one rejected reply, with their fields. */
export const fieldDifferences = (
  shape: CallShape,
  call: IoctlCall | undefined,
  observation: Observation,
  rejected: Rejected,
): readonly FieldDifference[] =>
  rejected.differences.flatMap((difference): readonly FieldDifference[] => {
    if (difference.in === 'result') {
      return [{ kind: 'result', expected: difference.expected, observed: difference.observed }];
    }
    if (difference.in === 'choice') {
      const { what, value, why } = difference;
      return [{ kind: 'choice', what, value: chosenText(what, value), why }];
    }
    if (call === undefined) return [raw(call, rejected, difference)];
    const named = memoryPartsOf(shape, call)
      .filter((part) => overlaps(part, difference))
      .flatMap((part) => ofPart(part, call, observation, difference, rejected.reply.writes));
    return named.length === 0 ? [raw(call, rejected, difference)] : named;
  });
