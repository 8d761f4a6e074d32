// SPDX-License-Identifier: MIT
// VFIO_IOMMU_MAP_DMA on an iommufd: iommufd_vfio_map_dma() in drivers/iommu/iommufd/vfio_compat.c.

import { decode } from '../abi/layout.ts';
import {
  VFIO_DMA_MAP_FLAG_READ,
  VFIO_DMA_MAP_FLAG_WRITE,
  VFIO_IOMMU_TYPE1_DMA_MAP,
} from '../abi/vfio.ts';
import { mapUser } from '../iopt/map-user.ts';
import { withSharedDoubt } from '../knowledge/memory-doubt.ts';
import { loadVfioStruct } from '../knowledge/vfio-struct.ts';
import { failed, failedBy, failuresBy, type Outcome, succeeded } from '../outcome/outcome.ts';
import type { FileId } from '../state/files.ts';
import { contextOf, stateOf, type World, withState } from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';
import { grants, isRefused, refuses, rulesOf } from '../terms/rule.ts';
import { compatIoas } from './compat-ioas.ts';

export const compatMapDmaRules = rulesOf(
  {
    id: 'compat-map-dma',
    title: 'compat VFIO_IOMMU_MAP_DMA',
    source: 'iommufd_vfio_map_dma() in drivers/iommu/iommufd/vfio_compat.c',
  },
  {
    structFault: refuses(
      'EFAULT',
      'The 32 bytes of the struct cannot be read, whatever argsz says.',
    ),
    tooShort: refuses('EINVAL', 'argsz is less than 32.'),
    unknownFlags: refuses('EINVAL', 'A flag other than READ and WRITE is set, such as VADDR.'),
    maps: grants(
      'Maps the memory at iova in every domain of the compatibility IOAS. Without a domain READ and WRITE may both be clear.',
    ),
  },
);

const KNOWN_FLAGS = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;

export const mapDma = (world: World, file: FileId, call: IoctlCall): readonly Outcome[] => {
  const loaded = loadVfioStruct(world, call, VFIO_IOMMU_TYPE1_DMA_MAP.size, compatMapDmaRules);
  if ('outcomes' in loaded) return loaded.outcomes;
  const { flags, vaddr, iova, size } = decode(VFIO_IOMMU_TYPE1_DMA_MAP, loaded.bytes);
  if ((flags & ~KNOWN_FLAGS) !== 0) return [failed(compatMapDmaRules.unknownFlags, world)];
  const found = compatIoas(contextOf(world, file));
  if (isRefused(found)) return [failedBy(found, world)];
  const mapped = mapUser(stateOf(world, file), world.release, {
    ioas: found.ioas,
    target: { kind: 'fixed', iova },
    process: call.process,
    address: vaddr,
    length: size,
    permissions: {
      readable: (flags & VFIO_DMA_MAP_FLAG_READ) !== 0,
      writable: (flags & VFIO_DMA_MAP_FLAG_WRITE) !== 0,
    },
  });
  if (isRefused(mapped)) return failuresBy(mapped, world);
  const reply = succeeded(compatMapDmaRules.maps, withState(world, mapped.state));
  return withSharedDoubt(reply, world, call.process, vaddr, size);
};
