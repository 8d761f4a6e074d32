// Calls that are not specified. What they may have changed is forgotten, so that nothing is said about it later.

import { type ObjectId, objectId } from '../abi/units.ts';
import { put } from '../collections/ordered-map.ts';
import type { Unspecified } from '../outcome.ts';
import { type World, withContext } from '../world.ts';
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
 * as long as it lives.
 */
export const makingObject = (
  request: Request,
  what: string,
  idAt: number,
  uses: readonly ObjectId[],
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
    return withContext(request.world, context);
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
