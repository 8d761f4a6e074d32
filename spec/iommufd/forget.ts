// Calls that are not specified. What they may have changed is forgotten, so that nothing is said about it later.

import { fileDescriptor, type ObjectId, objectId } from '../abi/units.ts';
import { put } from '../collections/ordered-map.ts';
import type { Unspecified } from '../outcome.ts';
import { type World, withContext, withDescriptor, withNewFile } from '../world.ts';
import { withObject } from './context.ts';
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
    if (descriptorAt === undefined || after.length < descriptorAt + 4) return made;
    const opened = withNewFile(made, () => ({ kind: 'unspecified', path: what }));
    const fd = fileDescriptor(view.getInt32(descriptorAt, true));
    return withDescriptor(opened.world, request.call.process, fd, opened.id);
  },
});

/** An unspecified call after which nothing more is said of the iommufd, unless it failed. */
export const forgettingAll = (request: Request, what: string): Unspecified => ({
  kind: 'unspecified',
  what,
  world: ({ errno }) =>
    errno === 0
      ? withContext(request.world, { ...contextOfRequest(request), forgotten: what })
      : request.world,
});
