// Takes down what a program left, and says when to look: what then stays pinned, and who it is held by, tells what no
// call before does.

import {
  IOMMU_DESTROY,
  IOMMU_IOAS_UNMAP,
  NATIVE_CALLS,
  type NativeCallName,
} from '../../spec/abi/native.ts';
import { U64_MAX } from '../../spec/abi/units.ts';
import { STRUCT_OFFSET } from './arena.ts';
import type { Scene } from './draw/scene.ts';
import type { Operation, Value } from './program.ts';

const nativeCall = (
  scene: Scene,
  fd: Value,
  name: NativeCallName,
  fields: Readonly<Record<string, Value>>,
): Operation => ({
  op: 'ioctl',
  label: scene.draft.label('end'),
  fd,
  command: NATIVE_CALLS.find((call) => call.name === name)?.command ?? 0,
  argument: { kind: 'struct', at: { arena: STRUCT_OFFSET }, layout: name, fields },
});

/** Mock devices go first, so that only in-kernel users hold pages, and then all that is mapped. */
export const takeDown = (scene: Scene, look: () => void): void => {
  for (const { context, value } of scene.iommufds()) {
    if (context.forgotten !== undefined) continue;
    const devices = scene.objectIds(context, 'selftest');
    for (const id of devices) {
      const fields = { size: BigInt(IOMMU_DESTROY.size), id: scene.named(context, id) };
      scene.add(nativeCall(scene, value, 'IOMMU_DESTROY', fields));
    }
    if (devices.length > 0) look();
    for (const id of scene.objectIds(context, 'ioas')) {
      scene.add(
        nativeCall(scene, value, 'IOMMU_IOAS_UNMAP', {
          size: BigInt(IOMMU_IOAS_UNMAP.size),
          ioas_id: scene.named(context, id),
          iova: 0n,
          length: U64_MAX,
        }),
      );
    }
    look();
  }
};
