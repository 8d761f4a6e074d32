// SPDX-License-Identifier: MIT
// Changes that a call made in memory: fields and buffers by name, every other byte by address.

import type { World } from '../../spec/state/world.ts';
import type { Call, IoctlCall, Observation, Segment } from '../../spec/terms/call.ts';
import { bytesText } from '../text/quantities.ts';
import { BUFFER_BYTES_SHOWN } from '../text/verbosity.ts';
import { shapeOfCall } from './decode-call.ts';
import { bytesIn, type MemoryPart, memoryPartsOf, partName } from './memory-layout.ts';

/** A field that the call changed, or bytes that no field covers. */
export type Change = { readonly name: string; readonly before: string; readonly after: string };

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

const ofPart = (
  part: MemoryPart,
  before: readonly Segment[],
  after: readonly Segment[],
): Change | undefined => {
  const then = bytesIn(before, part.address, part.length);
  const now = bytesIn(after, part.address, part.length);
  if (then.length !== part.length || now.length !== part.length || same(then, now)) {
    return undefined;
  }
  return { name: part.name, before: part.text(then), after: part.text(now) };
};

const digits = (bytes: Uint8Array): string => bytesText(bytes, BUFFER_BYTES_SHOWN);

/** Runs of different bytes of one segment that are not covered. */
const runsIn = (
  call: IoctlCall | undefined,
  before: readonly Segment[],
  { address, bytes }: Segment,
  isCovered: (address: bigint) => boolean,
): readonly Change[] => {
  const then = bytesIn(before, address, bytes.length);
  const changes: Change[] = [];
  for (let at = 0; at < then.length; at += 1) {
    const start = at;
    while (at < then.length && then[at] !== bytes[at] && !isCovered(address + BigInt(at))) at += 1;
    if (at === start) continue;
    changes.push({
      name: partName(call, address + BigInt(start), at - start),
      before: digits(then.subarray(start, at)),
      after: digits(bytes.subarray(start, at)),
    });
  }
  return changes;
};

/** The memory that is read around a call. */
const memoryOf = (call: Call): readonly Segment[] =>
  call.kind === 'ioctl' || call.kind === 'dma' ? call.memory : [];

/** The changes in memory that is known before and after the call. */
export const changesOf = (
  world: World,
  call: Call,
  { memory: after }: Observation,
): readonly Change[] => {
  const before = memoryOf(call);
  const ioctl = call.kind === 'ioctl' ? call : undefined;
  const parts = ioctl === undefined ? [] : memoryPartsOf(shapeOfCall(world, ioctl), ioctl);
  const compared = parts.filter(
    ({ address, length }) =>
      bytesIn(before, address, length).length === length &&
      bytesIn(after, address, length).length === length,
  );
  const isCovered = (address: bigint): boolean =>
    compared.some((part) => {
      const from = address - part.address;
      return from >= 0n && from < BigInt(part.length);
    });
  return [
    ...compared.flatMap((part) => ofPart(part, before, after) ?? []),
    ...after.flatMap((segment) => runsIn(ioctl, before, segment, isCovered)),
  ];
};

/** Whether any memory was read back after the call. */
export const isReadBack = ({ memory }: Observation): boolean =>
  memory.some(({ bytes }) => bytes.length > 0);
