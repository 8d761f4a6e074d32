// Looks at what a program could have asked: where something may be mapped and how it must be aligned, for each table and
// each legacy container, and what groups say. Few programs ask after the call that went wrong.

import {
  HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
  IOVA_RANGE,
  OPTION_HUGE_PAGES,
  OPTION_OP_GET,
} from '../../spec/abi/native.ts';
import { PAGE_SIZE_BYTES } from '../../spec/abi/units.ts';
import * as vfio from '../../spec/abi/vfio.ts';
import { each, nodesOf } from '../../spec/collections/ordered-map.ts';
import type { Type1 } from '../../spec/state/container.ts';
import { type Hwpt, tableOf } from '../../spec/state/context.ts';
import { ARRAY_OFFSET, STRUCT_OFFSET } from './arena.ts';
import { nativeCall } from './draw/native-call.ts';
import type { IommufdDescriptor, Scene } from './draw/scene.ts';
import type { Argument, Value } from './program.ts';

/** Of each kind in one program, so that most calls are still those that were drawn. */
const MOST = 3;
/** Ranges that a table may have. */
const RANGES = 8;
/** Room for a legacy container's capabilities, in bytes. */
const INFO_ROOM = 200;
/** Of a mock domain. */
const LEAST_PAGE = 2048n;
/** Bytes whose bits have room in two words. */
const MOST_DIRTY = 128n * LEAST_PAGE;
/** Bytes of maps whose pages are asked for. */
const MOST_WRITTEN = 1024n * PAGE_SIZE_BYTES;
const UNTOUCHED = 0xaaaa_aaaa_aaaa_aaaan;

type Extra = Pick<Extract<Argument, { kind: 'struct' }>, 'tail' | 'also'>;

/** A VFIO call as it should be, its struct where structs stand. */
const ask = (
  scene: Scene,
  label: string,
  fd: Value,
  command: number,
  layout: string,
  fields: Readonly<Record<string, Value>>,
  extra: Extra = {},
): void =>
  scene.add({
    op: 'ioctl',
    label: scene.draft.label(label),
    fd,
    command,
    argument: { kind: 'struct', at: { arena: STRUCT_OFFSET }, layout, fields, ...extra },
  });

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

const askContainer = (scene: Scene, fd: Value): void => {
  const fields = { argsz: BigInt(INFO_ROOM) };
  const tail = 'aa'.repeat(INFO_ROOM - vfio.VFIO_IOMMU_TYPE1_INFO.size);
  ask(scene, 'told', fd, vfio.VFIO_IOMMU_GET_INFO, 'VFIO_IOMMU_GET_INFO', fields, { tail });
};

/** Which pages are dirty of the maps that lie together, from the first on. */
const askWritten = (scene: Scene, fd: Value, { dmas, tracksDirty, version }: Type1): void => {
  const [first, ...others] = nodesOf(dmas);
  if (first === undefined || !tracksDirty || version === 1) return;
  let { last } = first.value;
  for (const { value } of others) if (value.last - first.key < MOST_WRITTEN) last = value.last;
  const length = last - first.key + 1n;
  if (length > MOST_WRITTEN) return;
  const at = { arena: ARRAY_OFFSET };
  const words = Number((length / PAGE_SIZE_BYTES + 63n) / 64n);
  const fields = {
    argsz: 48n,
    flags: BigInt(vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP),
    iova: first.key,
    size: length,
    bitmap_pgsize: PAGE_SIZE_BYTES,
    bitmap_size: BigInt(words) * 8n,
    bitmap_data: at,
  };
  const also = [{ at, words: new Array<bigint>(words).fill(0n) }];
  const layout = 'VFIO_IOMMU_DIRTY_PAGES with bitmap';
  ask(scene, 'told', fd, vfio.VFIO_IOMMU_DIRTY_PAGES, layout, fields, { also });
};

/** Starting to track changes nothing where that was started. */
export const startAgain = (scene: Scene): void => {
  for (const { file, value } of scene.containers().slice(0, MOST)) {
    if (file.container.type1?.tracksDirty !== true) continue;
    ask(scene, 'again', value, vfio.VFIO_IOMMU_DIRTY_PAGES, 'VFIO_IOMMU_DIRTY_PAGES', {
      argsz: 8n,
      flags: BigInt(vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_START),
    });
  }
};

/** Adds looks at the legacy containers to the scene's draft. */
export const lookAtContainers = (scene: Scene): void => {
  for (const { file, value } of scene.containers().slice(0, MOST)) {
    const { type1, forgotten } = file.container;
    if (type1 === undefined || forgotten !== undefined) continue;
    askContainer(scene, value);
    askWritten(scene, value, type1);
  }
};

const askGroup = (scene: Scene, fd: Value): void =>
  ask(scene, 'told', fd, vfio.VFIO_GROUP_GET_STATUS, 'VFIO_GROUP_GET_STATUS', {
    argsz: BigInt(vfio.VFIO_GROUP_STATUS.size),
    flags: UNTOUCHED & 0xffff_ffffn,
  });

/** What is dirty of the first areas of each domain that can track it, without a change to that. */
const askDirty = (scene: Scene, { context, value: fd }: IommufdDescriptor): void => {
  const hwpts: { readonly id: number; readonly hwpt: Hwpt }[] = [];
  each(context.objects, (id, object) => {
    if (object.kind !== 'hwpt' || !object.domain.tracksDirty) return;
    if (object.dirty !== 'unknown') hwpts.push({ id, hwpt: object });
  });
  for (const { id, hwpt } of hwpts.slice(0, MOST)) {
    for (const { key: iova, value } of [...nodesOf(tableOf(context, hwpt.ioas).areas)].slice(
      0,
      MOST,
    )) {
      const length = value.last - iova + 1n;
      if (length > MOST_DIRTY) continue;
      const at = { arena: ARRAY_OFFSET };
      const fields = {
        hwpt_id: scene.named(context, id),
        flags: BigInt(HWPT_GET_DIRTY_BITMAP_NO_CLEAR),
        iova,
        length,
        page_size: LEAST_PAGE,
        data: at,
      };
      const words = new Array<bigint>(2).fill(0n);
      nativeCall(scene, 'told', fd, 'IOMMU_HWPT_GET_DIRTY_BITMAP', fields, [{ at, words }]);
    }
  }
};

/** Adds the looks to the scene's draft. */
export const lookAtTold = (scene: Scene): void => {
  for (const on of scene.iommufds()) {
    const { context, value } = on;
    if (context.forgotten !== undefined) continue;
    for (const id of scene.objectIds(context, 'ioas').slice(0, MOST)) {
      askTable(scene, value, scene.named(context, id));
    }
    if (scene.platform.mockDevices) askDirty(scene, on);
  }
  lookAtContainers(scene);
  for (const { value } of scene.descriptorsOf('group').slice(0, MOST)) askGroup(scene, value);
};
