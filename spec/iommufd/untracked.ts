// SPDX-License-Identifier: MIT
// Unspecified calls. State that they may have changed becomes untracked.

import { fileDescriptor, type ObjectId, objectId } from '../abi/units.ts';
import { put } from '../collections/ordered-map.ts';
import type { Unspecified } from '../outcome/outcome.ts';
import { withObject } from '../state/context.ts';
import { type World, withContext, withDescriptor, withNewFile } from '../state/world.ts';
import type { Process } from '../terms/call.ts';
import { contextOfRequest, type Request } from './request.ts';

/** An unspecified call that changes no specified state. */
export const unspecified = (world: World, what: string): Unspecified => ({
  kind: 'unspecified',
  what,
  world: () => world,
});

/**
 * An unspecified call that makes an object, which uses other objects as long as it exists. The call writes the id at
 * byte `idAt` of its struct, and the descriptor at byte `descriptorAt` if it opens one.
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
      context = { ...context, untrackedUsers: put(context.untrackedUsers, used, what) };
    }
    const made = withContext(request.world, context);
    return withOpened(made, request.call.process, after, descriptorAt, what);
  },
});

/** The world with the descriptor in a struct, of which only the call that opened it is known. */
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

/** A call on untracked state. If it opens a descriptor, it writes it at byte `descriptorAt` of its struct. */
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

/** An unspecified call after which the iommufd is untracked, unless the call failed. */
export const untrackingAll = (request: Request, what: string): Unspecified => ({
  kind: 'unspecified',
  what,
  world: ({ errno }) =>
    errno === 0
      ? withContext(request.world, { ...contextOfRequest(request), untracked: what })
      : request.world,
});
