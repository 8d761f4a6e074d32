// The calls that programs with a theme begin with, as they should be: iommufds, tables, and who uses them.

import type { Value } from '../program.ts';
import { testCall } from '../table-probes.ts';
import { chargeProcess } from './native.ts';
import { nativeCall } from './native-call.ts';
import type { Scene } from './scene.ts';

export const open = (scene: Scene): Value => {
  const label = scene.draft.label('iommufd');
  scene.add({ op: 'open', label, path: '/dev/iommu' });
  const fd: Value = { from: label, out: 'result' };
  // Only before the first object can it be said who is charged, and only by the privileged.
  const { privileged } = scene.draft.world.memory.credentials;
  if (privileged && scene.dice.chance(1, 8)) chargeProcess(scene, fd);
  return fd;
};

export const allocate = (scene: Scene, fd: Value): Value => ({
  from: nativeCall(scene, 'ioas', fd, 'IOMMU_IOAS_ALLOC', {}),
  out: 'out_ioas_id',
});

export const attach = (scene: Scene, fd: Value, ioas: Value): void => {
  if (!scene.platform.mockDevices) return;
  scene.add(testCall(scene.draft.label('mock'), fd, 'MOCK_DOMAIN', { id: ioas }));
};

/** An in-kernel user that pins pages: its descriptor. */
export const use = (scene: Scene, fd: Value, ioas: Value): Value => {
  const label = scene.draft.label('access');
  scene.add(testCall(label, fd, 'CREATE_ACCESS', { id: ioas, flags: 1n }));
  return { from: label, out: 'out_access_fd' };
};
