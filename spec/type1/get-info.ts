// SPDX-License-Identifier: MIT
// VFIO_IOMMU_GET_INFO on a legacy container: vfio_iommu_type1_get_info() in drivers/vfio/vfio_iommu_type1.c. The
// capabilities MIGRATION, DMA_AVAIL and IOVA_RANGE follow the struct in this order, all of them or none.

import { decode, encode } from '../abi/layout.ts';
import { IOVA_RANGE } from '../abi/native.ts';
import { PAGE_SIZE_BYTES, U64_MAX } from '../abi/units.ts';
import {
  CAP_DMA_AVAIL_ID,
  CAP_IOVA_RANGE_ID,
  CAP_MIGRATION_ID,
  DIRTY_BITMAP_SIZE_MAX,
  VFIO_CAP_DMA_AVAIL,
  VFIO_CAP_IOVA_RANGE,
  VFIO_CAP_MIGRATION,
  VFIO_IOMMU_INFO_CAPS,
  VFIO_IOMMU_INFO_PGSIZES,
  VFIO_IOMMU_TYPE1_INFO,
  VFIO_IOMMU_TYPE1_INFO_MINIMUM,
} from '../abi/vfio.ts';
import { write } from '../knowledge/user-copy.ts';
import { loadVfioStruct } from '../knowledge/vfio-struct.ts';
import { failed, succeeded } from '../outcome/outcome.ts';
import type { Type1 } from '../state/container.ts';
import type { Segment } from '../terms/call.ts';
import { grants, refuses, rulesOf } from '../terms/rule.ts';
import type { Type1Handler } from './request.ts';

export const type1GetInfoRules = rulesOf(
  {
    id: 'type1-get-info',
    title: 'type1 VFIO_IOMMU_GET_INFO',
    source: 'vfio_iommu_type1_get_info() in drivers/vfio/vfio_iommu_type1.c',
  },
  {
    structFault: refuses('EFAULT', 'The first 16 bytes of the struct cannot be read.'),
    tooShort: refuses('EINVAL', 'argsz is less than 16.'),
    capabilityFault: refuses(
      'EFAULT',
      'argsz has room for the capabilities, and they cannot be written whole; the struct is not written.',
    ),
    replyFault: refuses(
      'EFAULT',
      'The struct cannot be written back; capabilities that argsz has room for are written.',
    ),
    reports: grants(
      'argsz has room: writes the capabilities, cap_offset returns 24, and argsz stays. IOVA_RANGE is left out until a domain limits the IOVAs.',
    ),
    reportsWithoutCapabilities: grants(
      'argsz has no room for the capabilities: it returns the room needed, cap_offset returns 0, and none is written.',
    ),
  },
);

/** The page sizes that all domains share. Sizes below PAGE_SIZE count as PAGE_SIZE. */
const pageSizes = ({ domains }: Type1): bigint => {
  const mask = PAGE_SIZE_BYTES - 1n;
  let sizes = U64_MAX;
  for (const { domain } of domains) sizes &= domain.pageSizes;
  return (sizes & mask) === 0n ? sizes : (sizes & ~mask) | PAGE_SIZE_BYTES;
};

const joined = (parts: readonly Uint8Array[]): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
};

const MIGRATION_AT = VFIO_IOMMU_TYPE1_INFO.size;
const DMA_AVAIL_AT = MIGRATION_AT + VFIO_CAP_MIGRATION.size;
/** DMA_AVAIL has 12 bytes, and the next capability starts at a multiple of 8. */
const DMA_AVAIL_PADDING = 4;
const IOVA_RANGE_AT = DMA_AVAIL_AT + VFIO_CAP_DMA_AVAIL.size + DMA_AVAIL_PADDING;

const capabilities = (type1: Type1): Uint8Array => {
  const { ranges, available } = type1;
  const head = { version: 1 };
  return joined([
    encode(VFIO_CAP_MIGRATION, {
      ...head,
      id: CAP_MIGRATION_ID,
      next: DMA_AVAIL_AT,
      pgsize_bitmap: PAGE_SIZE_BYTES,
      max_dirty_bitmap_size: DIRTY_BITMAP_SIZE_MAX,
    }),
    encode(VFIO_CAP_DMA_AVAIL, {
      ...head,
      id: CAP_DMA_AVAIL_ID,
      next: ranges.length === 0 ? 0 : IOVA_RANGE_AT,
      avail: available,
    }),
    new Uint8Array(DMA_AVAIL_PADDING),
    ...(ranges.length === 0
      ? []
      : [
          encode(VFIO_CAP_IOVA_RANGE, { ...head, id: CAP_IOVA_RANGE_ID, nr_iovas: ranges.length }),
          ...ranges.map((range) => encode(IOVA_RANGE, range)),
        ]),
  ]);
};

export const getInfo: Type1Handler = ({ world, type1, call }) => {
  const rules = type1GetInfoRules;
  const loaded = loadVfioStruct(world, call, VFIO_IOMMU_TYPE1_INFO_MINIMUM, rules);
  if ('outcomes' in loaded) return loaded.outcomes;
  const { argsz } = decode(VFIO_IOMMU_TYPE1_INFO, loaded.bytes);

  const chain = capabilities(type1);
  const needed = VFIO_IOMMU_TYPE1_INFO.size + chain.length;
  const hasRoom = argsz >= needed;
  const writes: Segment[] = [];
  if (hasRoom) {
    const address = call.argument + BigInt(VFIO_IOMMU_TYPE1_INFO.size);
    const afterStruct = write(world.memory, call.process, address, chain);
    writes.push(afterStruct.write);
    if (!afterStruct.whole) return [failed(rules.capabilityFault, world, writes)];
  }
  const info = encode(VFIO_IOMMU_TYPE1_INFO, {
    argsz: hasRoom ? argsz : needed,
    flags: VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS,
    iova_pgsizes: pageSizes(type1),
    cap_offset: hasRoom ? VFIO_IOMMU_TYPE1_INFO.size : 0,
  });
  const shown = info.subarray(0, Math.min(argsz, info.length));
  const answer = write(world.memory, call.process, call.argument, shown);
  writes.push(answer.write);
  if (!answer.whole) return [failed(rules.replyFault, world, writes)];
  return [succeeded(hasRoom ? rules.reports : rules.reportsWithoutCapabilities, world, writes)];
};
