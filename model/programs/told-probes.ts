// Looks at what a program could have asked: where something may be mapped and how it must be aligned, for each table and
// each legacy container, and what groups say. Few programs ask after the call that went wrong.

import { IOVA_RANGE, OPTION_HUGE_PAGES, OPTION_OP_GET } from '../../spec/abi/native.ts';
import * as vfio from '../../spec/abi/vfio.ts';
import { ARRAY_OFFSET, STRUCT_OFFSET } from './arena.ts';
import { nativeCall } from './draw/native-call.ts';
import type { Scene } from './draw/scene.ts';
import type { Value } from './program.ts';

/** Of each kind in one program, so that most calls are still those that were drawn. */
const MOST = 3;
/** Ranges that a table may have. */
const RANGES = 8;
/** Room for a legacy container's capabilities, in bytes. */
const INFO_ROOM = 200;
const UNTOUCHED = 0xaaaa_aaaa_aaaa_aaaan;

const askTable = (scene: Scene, fd: Value, ioas: Value): void => {
  const at = { arena: ARRAY_OFFSET };
  const words = new Array<bigint>((RANGES * IOVA_RANGE.size) / 8).fill(UNTOUCHED);
  const fields = {
    ioas_id: ioas,
    num_iovas: BigInt(RANGES),
    allowed_iovas: at,
  };
  nativeCall(scene, 'told', fd, 'IOMMU_IOAS_IOVA_RANGES', fields, [{ at, words }]);
  nativeCall(scene, 'told', fd, 'IOMMU_OPTION', {
    option_id: BigInt(OPTION_HUGE_PAGES),
    op: BigInt(OPTION_OP_GET),
    object_id: ioas,
    val64: UNTOUCHED,
  });
};

const askContainer = (scene: Scene, fd: Value): void =>
  scene.add({
    op: 'ioctl',
    label: scene.draft.label('told'),
    fd,
    command: vfio.VFIO_IOMMU_GET_INFO,
    argument: {
      kind: 'struct',
      at: { arena: STRUCT_OFFSET },
      layout: 'VFIO_IOMMU_GET_INFO',
      fields: { argsz: BigInt(INFO_ROOM) },
      tail: 'aa'.repeat(INFO_ROOM - vfio.VFIO_IOMMU_TYPE1_INFO.size),
    },
  });

const askGroup = (scene: Scene, fd: Value): void =>
  scene.add({
    op: 'ioctl',
    label: scene.draft.label('told'),
    fd,
    command: vfio.VFIO_GROUP_GET_STATUS,
    argument: {
      kind: 'struct',
      at: { arena: STRUCT_OFFSET },
      layout: 'VFIO_GROUP_GET_STATUS',
      fields: { argsz: BigInt(vfio.VFIO_GROUP_STATUS.size), flags: UNTOUCHED & 0xffff_ffffn },
    },
  });

/** Adds the looks to the scene's draft. */
export const lookAtTold = (scene: Scene): void => {
  for (const { context, value } of scene.iommufds()) {
    if (context.forgotten !== undefined) continue;
    for (const id of scene.objectIds(context, 'ioas').slice(0, MOST)) {
      askTable(scene, value, scene.named(context, id));
    }
  }
  for (const { file, value } of scene.containers().slice(0, MOST)) {
    if (file.container.type1 !== undefined && file.container.forgotten === undefined) {
      askContainer(scene, value);
    }
  }
  for (const { value } of scene.descriptorsOf('group').slice(0, MOST)) askGroup(scene, value);
};
