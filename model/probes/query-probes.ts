// SPDX-License-Identifier: MIT
// Probes by calls that only query: the usable IOVAs and alignment of each table and legacy
// container, and the state of groups. Few programs query after the call that went wrong.

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
import type { GenContext, IommufdDescriptor } from '../generate/gen-context.ts';
import { nativeCall } from '../generate/native-call.ts';
import { ARRAY_OFFSET, STRUCT_OFFSET } from '../programs/arena.ts';
import type { Argument, Value } from '../programs/program.ts';

/** At most so many of each kind in one program, so that most calls are still generated ones. */
const MOST = 3;
/** Ranges that a table may have. */
const RANGES = 8;
/** Room for a legacy container's capabilities, in bytes. */
const INFO_ROOM = 200;
/** Of a mock domain. */
const LEAST_PAGE = 2048n;
/** Bytes whose dirty bits fit into two words. */
const MOST_DIRTY = 128n * LEAST_PAGE;
/** Bytes of maps whose dirty pages are asked for. */
const MOST_WRITTEN = 1024n * PAGE_SIZE_BYTES;
const UNTOUCHED = 0xaaaa_aaaa_aaaa_aaaan;

type Extra = Pick<Extract<Argument, { kind: 'struct' }>, 'tail' | 'also'>;

type VfioQuery = {
  readonly label: string;
  readonly fd: Value;
  readonly command: number;
  readonly layout: string;
  readonly fields: Readonly<Record<string, Value>>;
  readonly extra?: Extra;
};

/** Adds a valid VFIO call, with its struct at the usual address. */
const ask = (
  gen: GenContext,
  { label, fd, command, layout, fields, extra = {} }: VfioQuery,
): void =>
  gen.add({
    op: 'ioctl',
    label: gen.builder.label(label),
    fd,
    command,
    argument: { kind: 'struct', at: { arena: STRUCT_OFFSET }, layout, fields, ...extra },
  });

const askTable = (gen: GenContext, fd: Value, ioas: Value): void => {
  const at = { arena: ARRAY_OFFSET };
  const words = new Array<bigint>((RANGES * IOVA_RANGE.size) / 8).fill(UNTOUCHED);
  const fields = {
    ioas_id: ioas,
    num_iovas: BigInt(RANGES),
    allowed_iovas: at,
  };
  nativeCall(gen, 'query', fd, 'IOMMU_IOAS_IOVA_RANGES', fields, [{ at, words }]);
  nativeCall(gen, 'query', fd, 'IOMMU_OPTION', {
    option_id: BigInt(OPTION_HUGE_PAGES),
    op: BigInt(OPTION_OP_GET),
    object_id: ioas,
    val64: UNTOUCHED,
  });
};

const askContainer = (gen: GenContext, fd: Value): void => {
  const fields = { argsz: BigInt(INFO_ROOM) };
  const tail = 'aa'.repeat(INFO_ROOM - vfio.VFIO_IOMMU_TYPE1_INFO.size);
  ask(gen, {
    label: 'query',
    fd,
    command: vfio.VFIO_IOMMU_GET_INFO,
    layout: 'VFIO_IOMMU_GET_INFO',
    fields,
    extra: { tail },
  });
};

/** The dirty pages of the contiguous maps, from the first on. */
const askWritten = (gen: GenContext, fd: Value, { dmas, tracksDirty, version }: Type1): void => {
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
  ask(gen, {
    label: 'query',
    fd,
    command: vfio.VFIO_IOMMU_DIRTY_PAGES,
    layout,
    fields,
    extra: { also },
  });
};

/** Starting dirty tracking again changes nothing. */
export const startAgain = (gen: GenContext): void => {
  for (const { file, value } of gen.containers().slice(0, MOST)) {
    if (file.container.type1?.tracksDirty !== true) continue;
    ask(gen, {
      label: 'again',
      fd: value,
      command: vfio.VFIO_IOMMU_DIRTY_PAGES,
      layout: 'VFIO_IOMMU_DIRTY_PAGES',
      fields: {
        argsz: 8n,
        flags: BigInt(vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_START),
      },
    });
  }
};

/** Adds probes of the legacy containers to the context's builder. */
export const probeContainers = (gen: GenContext): void => {
  for (const { file, value } of gen.containers().slice(0, MOST)) {
    const { type1, untracked } = file.container;
    if (type1 === undefined || untracked !== undefined) continue;
    askContainer(gen, value);
    askWritten(gen, value, type1);
  }
};

const askGroup = (gen: GenContext, fd: Value): void =>
  ask(gen, {
    label: 'query',
    fd,
    command: vfio.VFIO_GROUP_GET_STATUS,
    layout: 'VFIO_GROUP_GET_STATUS',
    fields: {
      argsz: BigInt(vfio.VFIO_GROUP_STATUS.size),
      flags: UNTOUCHED & 0xffff_ffffn,
    },
  });

/** The dirty pages of the first areas of each domain that tracks them, without clearing. */
const askDirty = (gen: GenContext, { context, value: fd }: IommufdDescriptor): void => {
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
        hwpt_id: gen.named(context, id),
        flags: BigInt(HWPT_GET_DIRTY_BITMAP_NO_CLEAR),
        iova,
        length,
        page_size: LEAST_PAGE,
        data: at,
      };
      const words = new Array<bigint>(2).fill(0n);
      nativeCall(gen, 'query', fd, 'IOMMU_HWPT_GET_DIRTY_BITMAP', fields, [{ at, words }]);
    }
  }
};

/** Adds the probes to the context's builder. */
export const queryState = (gen: GenContext): void => {
  for (const on of gen.iommufds()) {
    const { context, value } = on;
    if (context.untracked !== undefined) continue;
    for (const id of gen.objectIds(context, 'ioas').slice(0, MOST)) {
      askTable(gen, value, gen.named(context, id));
    }
    if (gen.platform.mockDevices) askDirty(gen, on);
  }
  probeContainers(gen);
  for (const { value } of gen.descriptorsOf('group').slice(0, MOST)) askGroup(gen, value);
};
