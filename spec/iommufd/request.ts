// SPDX-License-Identifier: MIT
// A native call after the ioctl dispatch: what its handler gets, and how it writes its reply.

import { fieldOf, type Layout, type SomeValues, withFields } from '../abi/layout.ts';
import type { ObjectId } from '../abi/units.ts';
import { type Written, write } from '../knowledge/user-copy.ts';
import type { Choice, Outcome } from '../outcome/outcome.ts';
import { type Context, lowestFreeId, OBJECT_ID_MAX, objectAt } from '../state/context.ts';
import type { FileId } from '../state/files.ts';
import type { IommufdState } from '../state/iommufd-state.ts';
import { contextOf, stateOf, type World } from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';
import { refuses, rulesOf } from '../terms/rule.ts';

export type Request = {
  readonly world: World;
  /** The iommufd that the call is made on. */
  readonly file: FileId;
  readonly call: IoctlCall;
  /** The struct in the kernel: its whole size, with zeros if the program's is shorter. */
  readonly bytes: Uint8Array;
  /** The size that the program passed, in bytes. */
  readonly userSize: number;
};

export type Handler = (request: Request) => readonly Outcome[];

export const respondRules = rulesOf(
  {
    id: 'respond',
    title: 'writing the struct back',
    source: 'iommufd_ucmd_respond() in drivers/iommu/iommufd/iommufd_private.h',
  },
  {
    replyFault: refuses(
      'EFAULT',
      'The struct cannot be written back whole; bytes before the first unwritable one are written.',
    ),
  },
);

export const contextOfRequest = (request: Request): Context =>
  contextOf(request.world, request.file);

export const stateOfRequest = (request: Request): IommufdState =>
  stateOf(request.world, request.file);

/** Writes back the struct with some fields changed, up to the size that the program passed. */
export const respond = <L extends Layout>(
  request: Request,
  layout: L,
  changes: SomeValues<L>,
): Written => {
  const { world, call, userSize } = request;
  const whole = withFields(layout, request.bytes, changes);
  const bytes = userSize < layout.size ? whole.subarray(0, userSize) : whole;
  return write(world.memory, call.process, call.argument, bytes);
};

/** The address of a field of the struct in the caller's memory. */
export const addressOf = (request: Request, layout: Layout, field: string): bigint =>
  request.call.argument + BigInt(fieldOf(layout, field).offset);

/** The kernel's choice of an id for a new object, which a field of the struct returns. */
export const idChoice = (
  request: Request,
  layout: Layout,
  field: string,
  preferred: ObjectId,
): Choice => ({
  what: 'an object id',
  location: { in: 'memory', address: addressOf(request, layout, field), width: 4 },
  preferred: BigInt(preferred),
  unfit: (value, earlier) => {
    if (value < 1n || value > BigInt(OBJECT_ID_MAX)) return 'ids are numbers from 1 to 2^31 - 1';
    if (objectAt(contextOfRequest(request), Number(value) as ObjectId) !== undefined) {
      return 'an object has that id already';
    }
    return earlier.includes(value) ? 'the same call gave that id to another object' : undefined;
  },
});

/** The ids that the kernel is expected to take next: the lowest free ones, ascending. */
export const nextIds = (context: Context, count: number): readonly ObjectId[] => {
  const ids: ObjectId[] = [];
  for (let taken = 0; ids.length < count; ) {
    const id = lowestFreeId(context, taken);
    ids.push(id);
    taken = id;
  }
  return ids;
};
