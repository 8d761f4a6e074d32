// SPDX-License-Identifier: MIT
// Calls that are not specified. What they may have changed is untracked, so that nothing is said about it later.

import { fileDescriptor, type ObjectId, objectId } from '../abi/units.ts';
import { put } from '../collections/ordered-map.ts';
import type { Unspecified } from '../outcome/outcome.ts';
import { withObject } from '../state/context.ts';
import { type World, withContext, withDescriptor, withNewFile } from '../state/world.ts';
import type { Process } from '../terms/call.ts';
import { contextOfRequest, type Request } from './request.ts';

/** An unspecified call that changes nothing that is specified. */
export const unspecified = (world: World, what: string): Unspecified => ({
  kind: 'unspecified',
  what,
  world: () => world,
});

/**
 * An unspecified call that makes an object, whose id it writes at byte `idAt` of its struct, and that uses others
 * as long as it lives. Some also open a descriptor, and write it at byte `descriptorAt`.
 */
export const makingObject = (
  request: Request,
  what: string,
  idAt: number,
  uses: readonly ObjectId[],
  descriptorAt?: number,
): Unspecified => ({
  kind: 'unspecified',
  what,
  world: ({ errno, after }) => {
    if (errno !== 0 || after.length < idAt + 4) return request.world;
    const view = new DataView(after.buffer, after.byteOffset, after.byteLength);
    const id = objectId(view.getUint32(idAt, true));
    let context = withObject(contextOfRequest(request), id, { kind: 'unspecified', madeBy: what });
    for (const used of uses) {
      context = { ...context, uncertainUsers: put(context.uncertainUsers, used, what) };
    }
    const made = withContext(request.world, context);
    return withOpened(made, request.call.process, after, descriptorAt, what);
  },
});

/** The world with the descriptor that a struct holds, of which only the call that opened it is known. */
const withOpened = (
  world: World,
  process: Process,
  after: Uint8Array,
  descriptorAt: number | undefined,
  what: string,
): World => {
  if (descriptorAt === undefined || after.length < descriptorAt + 4) return world;
  const view = new DataView(after.buffer, after.byteOffset, after.byteLength);
  const opened = withNewFile(world, () => ({ kind: 'unspecified', path: what }));
  return withDescriptor(
    opened.world,
    process,
    fileDescriptor(view.getInt32(descriptorAt, true)),
    opened.id,
  );
};

/** A call on what is untracked; one that opens a descriptor writes it at byte `descriptorAt` of its struct. */
export const onUntracked = (
  world: World,
  process: Process,
  what: string,
  descriptorAt?: number,
): Unspecified => ({
  kind: 'unspecified',
  what,
  doubtful: true,
  world: ({ errno, after }) =>
    errno === 0 ? withOpened(world, process, after, descriptorAt, what) : world,
});

/** An unspecified call after which nothing more is said of the iommufd, unless it failed. */
export const untrackingAll = (request: Request, what: string): Unspecified => ({
  kind: 'unspecified',
  what,
  world: ({ errno }) =>
    errno === 0
      ? withContext(request.world, { ...contextOfRequest(request), untracked: what })
      : request.world,
});
