// Takes down what a program left, and says when to look: what then stays pinned, and who it is held by, tells what no
// call before does.

import { U64_MAX } from '../../spec/abi/units.ts';
import { nativeCall } from './draw/native-call.ts';
import type { Scene } from './draw/scene.ts';

/** Mock devices go first, so that only in-kernel users hold pages, and then all that is mapped. */
export const takeDown = (scene: Scene, look: () => void): void => {
  for (const { context, value } of scene.iommufds()) {
    if (context.forgotten !== undefined) continue;
    const devices = scene.objectIds(context, 'selftest');
    for (const id of devices) {
      nativeCall(scene, 'end', value, 'IOMMU_DESTROY', { id: scene.named(context, id) });
    }
    if (devices.length > 0) look();
    for (const id of scene.objectIds(context, 'ioas')) {
      nativeCall(scene, 'end', value, 'IOMMU_IOAS_UNMAP', {
        ioas_id: scene.named(context, id),
        iova: 0n,
        length: U64_MAX,
      });
    }
    look();
  }
};
