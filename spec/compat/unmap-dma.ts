// SPDX-License-Identifier: MIT
// VFIO_IOMMU_UNMAP_DMA on an iommufd: iommufd_vfio_unmap_dma() in drivers/iommu/iommufd/vfio_compat.c. If large pages
// are disabled, areas are first cut at both ends of the range, so that the range can start and end inside a map.

import { decode, encode } from '../abi/layout.ts';
import { byteLength, U64_MAX } from '../abi/units.ts';
import { VFIO_DMA_UNMAP_FLAG_ALL, VFIO_IOMMU_TYPE1_DMA_UNMAP } from '../abi/vfio.ts';
import { cutAfterEach } from '../iopt/cut.ts';
import { lastToUnmap, type Unmapped, unmapRange } from '../iopt/unmap.ts';
import { write } from '../knowledge/user-copy.ts';
import { loadVfioStruct } from '../knowledge/vfio-struct.ts';
import { failed, failedBy, type Outcome, succeeded } from '../outcome/outcome.ts';
import { tableOf } from '../state/context.ts';
import type { FileId } from '../state/files.ts';
import type { IommufdState } from '../state/iommufd-state.ts';
import { contextOf, stateOf, type World, withState } from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';
import { grants, isRefused, refuses, rulesOf } from '../terms/rule.ts';
import { compatIoas } from './compat-ioas.ts';

export const compatUnmapDmaRules = rulesOf(
  {
    id: 'compat-unmap-dma',
    title: 'compat VFIO_IOMMU_UNMAP_DMA',
    source: 'iommufd_vfio_unmap_dma() in drivers/iommu/iommufd/vfio_compat.c',
  },
  {
    structFault: refuses(
      'EFAULT',
      'The 24 bytes of the struct cannot be read, whatever argsz says.',
    ),
    tooShort: refuses('EINVAL', 'argsz is less than 24.'),
    unknownFlags: refuses(
      'EINVAL',
      'A flag other than ALL is set, such as GET_DIRTY_BITMAP or VADDR.',
    ),
    allWithRange: refuses('EINVAL', 'ALL is set, and iova or size is not 0.'),
    unmaps: grants(
      'Unmaps every area in the range, possibly none; size returns the bytes unmapped.',
    ),
    unmapsAll: grants('ALL: unmaps every area, possibly none; size returns the bytes unmapped.'),
    replyFault: refuses('EFAULT', 'The struct cannot be written back; the areas stay unmapped.'),
  },
);

/** The IOVAs after which a range is cut: its last, and the one before its first, if there is one. */
const cutsFor = (iova: bigint, size: bigint): readonly bigint[] => {
  const last = BigInt.asUintN(64, iova + size - 1n);
  return iova === 0n ? [last] : [last, iova - 1n];
};

const unmapOne = (
  state: IommufdState,
  ioas: Parameters<typeof unmapRange>[1],
  iova: bigint,
  size: bigint,
): Unmapped => {
  const last = lastToUnmap(iova, size);
  return typeof last === 'bigint'
    ? unmapRange(state, ioas, iova, last)
    : { state, bytes: 0n, refused: last.refused };
};

export const unmapDma = (world: World, file: FileId, call: IoctlCall): readonly Outcome[] => {
  const loaded = loadVfioStruct(world, call, VFIO_IOMMU_TYPE1_DMA_UNMAP.size, compatUnmapDmaRules);
  if ('outcomes' in loaded) return loaded.outcomes;
  const fields = decode(VFIO_IOMMU_TYPE1_DMA_UNMAP, loaded.bytes);
  const { flags, iova, size } = fields;
  if ((flags & ~VFIO_DMA_UNMAP_FLAG_ALL) !== 0) {
    return [failed(compatUnmapDmaRules.unknownFlags, world)];
  }
  const context = contextOf(world, file);
  const found = compatIoas(context);
  if (isRefused(found)) return [failedBy(found, world)];
  const all = flags === VFIO_DMA_UNMAP_FLAG_ALL;
  if (all && (iova !== 0n || size !== 0n)) return [failed(compatUnmapDmaRules.allWithRange, world)];

  let state = stateOf(world, file);
  if (!all && tableOf(context, found.ioas).largePagesDisabled) {
    const cut = cutAfterEach(state, found.ioas, cutsFor(iova, size));
    if (cut.refused !== undefined) return [failedBy(cut.refused, withState(world, cut.state))];
    state = cut.state;
  }
  const unmapped = all
    ? unmapRange(state, found.ioas, 0n, U64_MAX)
    : unmapOne(state, found.ioas, iova, size);
  const after = withState(world, unmapped.state);
  // The size is written back whether or not everything was unmapped.
  const answer = write(
    world.memory,
    call.process,
    call.argument,
    encode(VFIO_IOMMU_TYPE1_DMA_UNMAP, { ...fields, size: byteLength(unmapped.bytes) }),
  );
  if (!answer.whole) return [failed(compatUnmapDmaRules.replyFault, after, [answer.write])];
  if (unmapped.refused !== undefined) return [failed(unmapped.refused, after, [answer.write])];
  const rule = all ? compatUnmapDmaRules.unmapsAll : compatUnmapDmaRules.unmaps;
  return [succeeded(rule, after, [answer.write])];
};
