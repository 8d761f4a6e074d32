// Takes down what a program left, and says when to look: what then stays pinned, and who it is held by, tells what no
// call before does.

import { U64_MAX } from '../../spec/abi/units.ts';
import { VFIO_GROUP_UNSET_CONTAINER } from '../../spec/abi/vfio.ts';
import { nativeCall } from './draw/native-call.ts';
import type { Scene } from './draw/scene.ts';

/** The most groups that leave, so that most calls are still those that were drawn. */
const MOST_LEAVING = 2;

/** Groups with an IOMMU leave a legacy container in which others stay: what they held and wrote shows then. */
export const leaveContainers = (scene: Scene, look: () => void): void => {
  const emulated = new Set(
    scene.platform.devices.flatMap(({ iommu, group }) => (iommu === 'none' ? [group] : [])),
  );
  const joined = scene.descriptorsOf('group').filter(({ file }) => scene.isInLegacyContainer(file));
  if (joined.length < 2) return;
  const leaving = joined.filter(({ file }) => !emulated.has(file.group)).slice(0, MOST_LEAVING);
  for (const { value } of leaving) scene.plain('leave', value, VFIO_GROUP_UNSET_CONTAINER, 0n);
  if (leaving.length > 0) look();
};

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
