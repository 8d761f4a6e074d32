// SPDX-License-Identifier: MIT
// A program that closes everything leaves nothing behind.

import { nodesOf } from '../../spec/collections/ordered-map.ts';
import { accountOf } from '../../spec/state/memory.ts';
import { descriptorsOf, type World } from '../../spec/state/world.ts';
import { step } from '../../spec/step.ts';
import { law } from './law.ts';

const PROCESS = 1;

const withAllClosed = (world: World): World => {
  let result = world;
  for (const { key: fd } of nodesOf(descriptorsOf(world, PROCESS))) {
    const [outcome] = step(result, { kind: 'close', process: PROCESS, fd });
    if (outcome?.kind === 'reply') result = outcome.world;
  }
  return result;
};

/** No file, no bound device, no charge. */
export const CLOSING_LAW = law('closing every descriptor gives everything back', (world) => {
  const closed = withAllClosed(world);
  if (closed.files !== undefined) return 'a file is left';
  if (closed.devices.size > 0) return 'a device is left';
  const { locked, pinned } = accountOf(closed.memory, PROCESS);
  const charged = locked + pinned + closed.memory.userLocked;
  return charged === 0 ? undefined : `${charged} pages are still charged`;
});
