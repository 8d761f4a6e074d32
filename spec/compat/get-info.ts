// SPDX-License-Identifier: MIT
// VFIO_IOMMU_GET_INFO on an iommufd: iommufd_vfio_iommu_get_info() in drivers/iommu/iommufd/vfio_compat.c. Two
// capabilities follow the struct, DMA_AVAIL and IOVA_RANGE, as far as argsz has room for them.

import { decode, encode, fieldBytes, fieldOf } from '../abi/layout.ts';
import { IOVA_RANGE } from '../abi/native.ts';
import { PAGE_SIZE_BYTES, U32_MAX, U64_MAX } from '../abi/units.ts';
import {
  CAP_DMA_AVAIL_ID,
  CAP_IOVA_RANGE_ID,
  VFIO_CAP_DMA_AVAIL,
  VFIO_CAP_IOVA_RANGE,
  VFIO_INFO_CAP_HEADER,
  VFIO_IOMMU_INFO_CAPS,
  VFIO_IOMMU_INFO_PGSIZES,
  VFIO_IOMMU_TYPE1_INFO,
  VFIO_IOMMU_TYPE1_INFO_MINIMUM,
} from '../abi/vfio.ts';
import { write } from '../knowledge/user-copy.ts';
import { loadVfioStruct } from '../knowledge/vfio-struct.ts';
import { failed, failedBy, type Outcome, succeeded } from '../outcome/outcome.ts';
import { type Context, hwptAt, tableOf } from '../state/context.ts';
import type { FileId } from '../state/files.ts';
import { type IoPagetable, usableRanges } from '../state/io-pagetable.ts';
import { contextOf, type World } from '../state/world.ts';
import type { IoctlCall, Segment } from '../terms/call.ts';
import { grants, isRefused, refuses, rulesOf } from '../terms/rule.ts';
import { compatIoas } from './compat-ioas.ts';

export const compatGetInfoRules = rulesOf(
  {
    id: 'compat-get-info',
    title: 'compat VFIO_IOMMU_GET_INFO',
    source: 'iommufd_vfio_iommu_get_info() in drivers/iommu/iommufd/vfio_compat.c',
  },
  {
    structFault: refuses('EFAULT', 'The first 16 bytes of the struct cannot be read.'),
    tooShort: refuses('EINVAL', 'argsz is less than 16.'),
    capabilityFault: refuses(
      'EFAULT',
      'A capability that argsz has room for cannot be written. What comes before it is written.',
    ),
    replyFault: refuses(
      'EFAULT',
      'The struct cannot be written back; the capabilities are written.',
    ),
    reports: grants(
      'iova_pgsizes returns the page sizes that all domains share, argsz the room needed, and cap_offset 24 if there was room, 0 otherwise.',
    ),
  },
);

/** The page sizes that all domains share. Sizes below PAGE_SIZE count as PAGE_SIZE, as in type1. */
const pageSizes = (context: Context, table: IoPagetable): bigint => {
  const mask = PAGE_SIZE_BYTES - 1n;
  let sizes = U64_MAX;
  for (const id of table.domains) sizes &= hwptAt(context, id)?.domain.pageSizes ?? U64_MAX;
  if ((sizes & mask) !== 0n) sizes = (sizes & ~mask) | PAGE_SIZE_BYTES;
  return sizes > table.alignment ? sizes : table.alignment;
};

const dmaAvail = (): Uint8Array =>
  encode(VFIO_CAP_DMA_AVAIL, { id: CAP_DMA_AVAIL_ID, version: 1, avail: U32_MAX });

/** One write of a capability: bytes at an offset from its start, if there is room for `needs` bytes. */
type CapabilityWrite = {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly needs: number;
};

type Capability = { readonly length: number; readonly writes: readonly CapabilityWrite[] };

const dmaAvailCapability = (): Capability => {
  const bytes = dmaAvail();
  return { length: bytes.length, writes: [{ offset: 0, bytes, needs: bytes.length }] };
};

/** The ranges are written before the capability's head, each if there is room for it and those before it. */
const iovaRangeCapability = (table: IoPagetable): Capability => {
  const ranges = usableRanges(table);
  const head = VFIO_CAP_IOVA_RANGE.size;
  const end = (count: number): number => head + count * IOVA_RANGE.size;
  const length = end(ranges.length);
  const bytes = encode(VFIO_CAP_IOVA_RANGE, {
    id: CAP_IOVA_RANGE_ID,
    version: 1,
    nr_iovas: ranges.length,
  });
  return {
    length,
    writes: [
      ...ranges.map((range, index) => ({
        offset: end(index),
        bytes: encode(IOVA_RANGE, range),
        needs: end(index + 1),
      })),
      { offset: 0, bytes, needs: length },
    ],
  };
};

const alignedLength = (length: number): number => (length + 7) & ~7;

type Chain = {
  readonly writes: readonly Segment[];
  /** Bytes that struct and capabilities need. */
  readonly length: number;
  readonly whole: boolean;
};

/** Writes the capabilities after the struct, each linked from the one before it. */
const writeChain = (world: World, call: IoctlCall, argsz: number, table: IoPagetable): Chain => {
  const writes: Segment[] = [];
  const put = (offset: number, bytes: Uint8Array): boolean => {
    const done = write(world.memory, call.process, call.argument + BigInt(offset), bytes);
    writes.push(done.write);
    return done.whole;
  };
  let length = VFIO_IOMMU_TYPE1_INFO.size;
  let before: number | undefined;
  for (const capability of [dmaAvailCapability(), iovaRangeCapability(table)]) {
    const room = argsz > length ? argsz - length : 0;
    for (const { offset, bytes, needs } of capability.writes) {
      if (room >= needs && !put(length + offset, bytes)) return { writes, length, whole: false };
    }
    if (before !== undefined && argsz >= length) {
      const next = fieldOf(VFIO_INFO_CAP_HEADER, 'next');
      const linked = put(before + next.offset, fieldBytes(next, length));
      if (!linked) return { writes, length, whole: false };
    }
    before = length;
    length += alignedLength(capability.length);
  }
  return { writes, length, whole: true };
};

export const getInfo = (world: World, file: FileId, call: IoctlCall): readonly Outcome[] => {
  const loaded = loadVfioStruct(world, call, VFIO_IOMMU_TYPE1_INFO_MINIMUM, compatGetInfoRules);
  if ('outcomes' in loaded) return loaded.outcomes;
  const { argsz } = decode(VFIO_IOMMU_TYPE1_INFO, loaded.bytes);
  const context = contextOf(world, file);
  const found = compatIoas(context);
  if (isRefused(found)) return [failedBy(found, world)];
  const table = tableOf(context, found.ioas);

  const chain = writeChain(world, call, argsz, table);
  if (!chain.whole) return [failed(compatGetInfoRules.capabilityFault, world, chain.writes)];
  const info = encode(VFIO_IOMMU_TYPE1_INFO, {
    argsz: chain.length,
    flags: VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS,
    iova_pgsizes: pageSizes(context, table),
    cap_offset: argsz >= chain.length ? VFIO_IOMMU_TYPE1_INFO.size : 0,
  });
  const answer = write(
    world.memory,
    call.process,
    call.argument,
    info.subarray(0, Math.min(argsz, info.length)),
  );
  const writes = [...chain.writes, answer.write];
  return answer.whole
    ? [succeeded(compatGetInfoRules.reports, world, writes)]
    : [failed(compatGetInfoRules.replyFault, world, writes)];
};
