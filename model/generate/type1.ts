// SPDX-License-Identifier: MIT
// Generates calls on a legacy container.

import { U64_MAX } from '../../spec/abi/units.ts';
import * as vfio from '../../spec/abi/vfio.ts';
import { nodesOf } from '../../spec/collections/ordered-map.ts';
import { hasNoIommuGroups, type Type1 } from '../../spec/state/container.ts';
import { spaceOf } from '../../spec/state/memory.ts';
import {
  ARENA_BASE,
  ARRAY_OFFSET,
  DATA_LENGTH,
  DATA_OFFSET,
  STRUCT_OFFSET,
} from '../programs/arena.ts';
import type { Argument, Value, WordsInMemory } from '../programs/program.ts';
import { PROCESS } from '../programs/run.ts';
import { generateArgsz, generateInfoAddress, infoFields } from './compat.ts';
import { callAtEdge } from './device.ts';
import type { ContainerDescriptor, GenContext } from './gen-context.ts';
import { generateBar, generateFile, generateSource } from './memory.ts';
import { generateFreeIova, generateMappingRange, generateType1Iova } from './type1-values.ts';
import { generateArrayAddress, generateLength, generateUserAddress, wrap } from './values.ts';
import { MAP_DMA, UNMAP_DMA } from './vfio-call.ts';

const UNMAP_WITH_BITMAP = {
  command: vfio.VFIO_IOMMU_UNMAP_DMA,
  layout: 'VFIO_IOMMU_UNMAP_DMA with bitmap',
  size: 48,
} as const;
const DIRTY_PAGES_WITH_BITMAP = {
  command: vfio.VFIO_IOMMU_DIRTY_PAGES,
  layout: 'VFIO_IOMMU_DIRTY_PAGES with bitmap',
  size: 48,
} as const;
const DIRTY_PAGES = {
  command: vfio.VFIO_IOMMU_DIRTY_PAGES,
  layout: 'VFIO_IOMMU_DIRTY_PAGES',
  size: 8,
} as const;

const PAGE = 4096n;
const START = BigInt(vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_START);
const MAP_VADDR = BigInt(vfio.VFIO_DMA_MAP_FLAG_VADDR);

const type1Of = ({ file }: ContainerDescriptor): Type1 | undefined => file.container.type1;

export const generateOpenContainer = (gen: GenContext): void =>
  gen.add({ op: 'open', label: gen.builder.label('container'), path: vfio.VFIO_CONTAINER_PATH });

const TYPES = [1n, 1n, 1n, 1n, 3n, 3n, 3n, 3n, 3n, 3n, 6n, 8n, 9n, 2n, 0n, 0x1_0000_0001n] as const;

export const generateSetIommu = (gen: GenContext, { value, file }: ContainerDescriptor): void => {
  const { rng, platform } = gen;
  const withoutIommu = hasNoIommuGroups(platform, file.container) && rng.chance(5, 6);
  gen.plain('setIommu', value, vfio.VFIO_SET_IOMMU, withoutIommu ? 8n : rng.of(TYPES));
};

export const generateApiVersion = (gen: GenContext, { value }: ContainerDescriptor): void =>
  gen.plain('version', value, vfio.VFIO_GET_API_VERSION, 0n);

/** Lengths at and near the ends of the struct and of its capabilities. */
const ROOMS = [15, 16, 20, 23, 24, 56, 71, 72, 73, 80, 103, 104, 119, 120, 121, 135, 136, 200, 0];
const INFO_BYTES = 200;

export const generateGetInfo = (gen: GenContext, { value }: ContainerDescriptor): void => {
  const { rng } = gen;
  const room = rng.chance(1, 3) ? INFO_BYTES : rng.of(ROOMS);
  const argument: Argument = {
    kind: 'struct',
    at: generateInfoAddress(rng, room),
    layout: 'VFIO_IOMMU_GET_INFO',
    fields: infoFields(BigInt(rng.chance(1, 30) ? 0xffff_ffff : room)),
    tail: 'aa'.repeat(INFO_BYTES - 24),
  };
  const label = gen.builder.label('info');
  gen.add({ op: 'ioctl', label, fd: value, command: vfio.VFIO_IOMMU_GET_INFO, argument });
};

/** Sets the vaddr of a map, mostly of one whose vaddr is invalid. */
const generateNewAddress = (gen: GenContext, on: ContainerDescriptor): void => {
  const { rng } = gen;
  const range = generateMappingRange(rng, type1Of(on));
  gen.call('mapDma', on.value, MAP_DMA, {
    argsz: generateArgsz(gen, 32),
    flags: MAP_VADDR,
    vaddr: generateUserAddress(rng),
    iova: range?.iova ?? generateType1Iova(rng, type1Of(on)),
    size: range?.length ?? generateLength(rng),
  });
};

/** If a map up to U64_MAX would be lost, nothing after it could be judged: one page lower. */
const belowEnd = (gen: GenContext, iova: bigint, size: bigint): bigint =>
  gen.builder.world.release.type1.findDmaWraps && iova + size === END ? iova - PAGE : iova;

/** More pages than a bitmap can report: tracking does not start with such a map. */
const VAST = 0x8000_0000n * PAGE;

/** A map with more pages than a bitmap has bits; it can be made if the container has only mdevs. */
const generateVastMap = (gen: GenContext, on: ContainerDescriptor): void =>
  gen.call('mapDma', on.value, MAP_DMA, {
    argsz: 32n,
    flags: 3n,
    vaddr: { arena: DATA_OFFSET },
    iova: generateFreeIova(gen.rng, type1Of(on)),
    size: VAST,
  });

/** Greater limits are not reached on purpose. */
const FEW_MAPS = 16;

/** Maps single pages until the limit refuses one. */
const generateManyMaps = (
  gen: GenContext,
  { value }: ContainerDescriptor,
  available: number,
): void => {
  for (let page = 0n; page <= BigInt(available); page += 1n) {
    gen.call('mapDma', value, MAP_DMA, {
      argsz: 32n,
      flags: 3n,
      vaddr: { arena: DATA_OFFSET + page * PAGE },
      iova: FREE_IOVA + page * PAGE,
      size: PAGE,
    });
  }
};

const END = 1n << 64n;

/** After the IOVAs of other generated maps. */
const FREE_IOVA = 0x200_0000n;

/** The edges of reserved ranges and apertures: a group that joins later may forbid them. */
const generateDeviceEdge = (gen: GenContext): bigint => {
  const { rng, platform } = gen;
  const starts = platform.devices.flatMap(({ reserved }) => reserved.map(({ start }) => start));
  const ends = platform.iommus.map(({ aperture }) => aperture.last + 1n).filter((end) => end < END);
  return wrap(rng.of([...starts, ...starts, ...ends]) + rng.of([0n, 0n, -PAGE]));
};

/** Just before a boundary between two kinds of memory, if the program made one. */
const generateMemoryEdge = (gen: GenContext): bigint | undefined => {
  const { rng, builder } = gen;
  if (!rng.chance(1, 3)) return undefined;
  const starts: bigint[] = [];
  for (const { key } of nodesOf(spaceOf(builder.world.memory, PROCESS))) {
    const offset = key - ARENA_BASE;
    if (offset > DATA_OFFSET && offset < DATA_OFFSET + DATA_LENGTH) starts.push(offset);
  }
  return starts.length === 0 ? undefined : rng.of(starts) - BigInt(rng.number(0, 2)) * PAGE;
};

/** A map of a page that a later group may forbid. */
export const generateEdgeMap = (gen: GenContext, { value }: ContainerDescriptor): void =>
  gen.call('mapDma', value, MAP_DMA, {
    argsz: 32n,
    flags: 3n,
    vaddr: { arena: DATA_OFFSET },
    iova: belowEnd(gen, generateDeviceEdge(gen), PAGE),
    size: PAGE,
  });

/** A map that mostly succeeds: whole pages of memory, at a usable IOVA. */
export const generateFittingMap = (gen: GenContext, on: ContainerDescriptor): void => {
  const { rng } = gen;
  const page = BigInt(rng.number(0, 63)) * PAGE;
  const size = BigInt(rng.number(1, rng.chance(1, 6) ? 24 : 4)) * PAGE;
  gen.call('mapDma', on.value, MAP_DMA, {
    argsz: 32n,
    flags: BigInt(rng.of([3, 3, 3, 1, 2])),
    vaddr: { arena: generateMemoryEdge(gen) ?? DATA_OFFSET + page },
    iova: belowEnd(
      gen,
      gen.platform.iommus.length > 0 && rng.chance(1, 6)
        ? generateDeviceEdge(gen)
        : generateFreeIova(rng, type1Of(on)),
      size,
    ),
    size,
  });
};

/** The first pages of the data region. */
export const mapPages = (gen: GenContext, container: Value, iova: bigint, pages: bigint): void =>
  gen.call('mapDma', container, MAP_DMA, {
    argsz: 32n,
    flags: 3n,
    vaddr: { arena: DATA_OFFSET },
    iova,
    size: pages * PAGE,
  });

/** One of several single pages that are mapped one after the other. */
export const mapPage = (gen: GenContext, container: Value, index: number): void =>
  mapPages(gen, container, 0x100_0000n + BigInt(index) * PAGE, 1n);

export const startTracking = (gen: GenContext, container: Value): void =>
  gen.call('dirty', container, DIRTY_PAGES, {
    argsz: 8n,
    flags: START,
  });

export const generateMapDma = (gen: GenContext, on: ContainerDescriptor): void => {
  const { rng } = gen;
  const type1 = type1Of(on);
  const waits = type1 !== undefined && type1.invalidVaddrs > 0;
  if (rng.chance(waits ? 8 : 1, 20)) {
    generateNewAddress(gen, on);
    return;
  }
  if (rng.chance(1, 2)) {
    generateFittingMap(gen, on);
    return;
  }
  if (type1 !== undefined && rng.chance(1, 16)) {
    if (type1.available <= FEW_MAPS) {
      generateManyMaps(gen, on, type1.available);
      return;
    }
    if (type1.tracksDirty || type1.domains.length === 0) {
      generateVastMap(gen, on);
      return;
    }
  }
  const { address, length: size } = generateSource(gen);
  gen.call('mapDma', on.value, MAP_DMA, {
    argsz: generateArgsz(gen, 32),
    flags: BigInt(rng.of([3, 3, 3, 3, 3, 3, 3, 1, 1, 2, 0, 7, 8])),
    vaddr: address,
    iova: belowEnd(gen, generateType1Iova(rng, type1), size),
    size,
  });
};

const EVERY_OTHER = 0xaaaa_aaaa_aaaa_aaaan;
const WORDS = 4;
/** Bytes of the largest bitmap. */
const MOST_ROOM = 1n << 28n;
/** A container takes one page size only: mostly values that every other check accepts. */
const INVALID_PAGE_SIZES = [0x800n, 0x800n, 0x800n, 0x2000n, 0x2000n, 0n, 1n, 0x1800n] as const;
const MOST_PAGES = 0x1000_0000n * 8n;

type BitmapFields = {
  readonly fields: Readonly<
    Record<'iova' | 'size' | 'bitmap_pgsize' | 'bitmap_size' | 'bitmap_data', Value>
  >;
  readonly also: readonly WordsInMemory[];
};

/** A range whose dirty pages are asked for, and a bitmap for it that is not zero before. */
const generateBitmap = (gen: GenContext, on: ContainerDescriptor, wider: boolean): BitmapFields => {
  const { rng } = gen;
  const found = generateMappingRange(rng, type1Of(on));
  let iova = found?.iova ?? generateType1Iova(rng, type1Of(on));
  let size = found?.length ?? generateLength(rng);
  if (wider) {
    const before = BigInt(rng.of([0, 0, 1, 5, 63, 64, 70])) * PAGE;
    if (iova >= before) {
      iova -= before;
      size = wrap(size + before + BigInt(rng.of([0, 0, 1, 60])) * PAGE);
    }
  }
  const pages = size / PAGE < MOST_PAGES ? size / PAGE : MOST_PAGES;
  const bytes = ((pages + 63n) / 64n) * 8n;
  const address = generateArrayAddress(rng, Number(bytes < 64n ? bytes : 64n));
  const word = rng.of([0n, 0n, U64_MAX, EVERY_OTHER]);
  const pageSize = rng.chance(1, 5) ? rng.of(INVALID_PAGE_SIZES) : PAGE;
  // Nothing else may be invalid if the page size is.
  const room = pageSize === PAGE ? bytes : PAGE;
  return {
    fields: {
      iova,
      size,
      bitmap_pgsize: pageSize,
      bitmap_size: rng.chance(1, 10)
        ? rng.of([0n, bytes - 8n, bytes - 1n, 1n << 63n, MOST_ROOM, MOST_ROOM + 8n])
        : room,
      bitmap_data: rng.chance(1, 12)
        ? rng.of([U64_MAX, 0n, 0x7fff_ffff_fff8n, 0x7fff_ffff_eff8n])
        : address,
    },
    also: [{ at: address, words: new Array<bigint>(WORDS).fill(word) }],
  };
};

const generateUnmapWithBitmap = (gen: GenContext, on: ContainerDescriptor): void => {
  const { rng } = gen;
  const { fields, also } = generateBitmap(gen, on, rng.chance(1, 2));
  const flags = BigInt(rng.chance(1, 5) ? rng.of([3, 5, 9]) : 1);
  if (rng.chance(1, 12)) {
    const header = { argsz: 48n, flags: 1n, ...fields };
    const call = { stem: 'unmapDma', fd: on.value, fields: header };
    callAtEdge(gen, { ...UNMAP_WITH_BITMAP, ...call }, 24);
    return;
  }
  const argsz = rng.chance(1, 16) ? rng.of([24n, 47n]) : generateArgsz(gen, 48);
  gen.call('unmapDma', on.value, UNMAP_WITH_BITMAP, { argsz, flags, ...fields }, also);
};

const generateUnmapAll = (gen: GenContext, on: ContainerDescriptor): void => {
  const { rng } = gen;
  const clean = rng.chance(4, 5);
  gen.call('unmapDma', on.value, UNMAP_DMA, {
    argsz: generateArgsz(gen, 24),
    flags: rng.chance(1, 4) ? 6n : 2n,
    iova: clean ? 0n : generateType1Iova(rng, type1Of(on)),
    size: clean ? 0n : generateLength(rng),
  });
};

export const generateUnmapDma = (gen: GenContext, on: ContainerDescriptor): void => {
  const { rng } = gen;
  const type1 = type1Of(on);
  const kind = rng.number(1, 20);
  if (kind <= (type1?.tracksDirty === true ? 6 : 1)) generateUnmapWithBitmap(gen, on);
  else if (kind <= 8) generateUnmapAll(gen, on);
  else generateUnmapRange(gen, on);
};

const generateUnmapRange = (gen: GenContext, on: ContainerDescriptor): void => {
  const { rng } = gen;
  const type1 = type1Of(on);
  const pages = BigInt(rng.number(1, 3)) * PAGE;
  const range = rng.chance(1, 15)
    ? { iova: wrap(-pages), length: pages }
    : rng.chance(4, 5)
      ? generateMappingRange(rng, type1)
      : undefined;
  gen.call('unmapDma', on.value, UNMAP_DMA, {
    argsz: generateArgsz(gen, 24),
    flags: rng.chance(1, 30) ? 8n : rng.chance(1, 5) ? 4n : 0n,
    iova: range?.iova ?? generateType1Iova(rng, type1),
    size: range?.length ?? generateLength(rng),
  });
};

const STOP = BigInt(vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP);
const GET = BigInt(vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP);

export const generateDirtyPages = (gen: GenContext, on: ContainerDescriptor): void => {
  const { rng } = gen;
  const tracks = type1Of(on)?.tracksDirty === true;
  if (rng.chance(tracks ? 5 : 1, 6)) {
    const { fields, also } = generateBitmap(gen, on, rng.chance(2, 3));
    const header = { argsz: generateArgsz(gen, 48), flags: GET };
    gen.call('dirty', on.value, DIRTY_PAGES_WITH_BITMAP, { ...header, ...fields }, also);
    return;
  }
  const flags = rng.chance(1, 12) ? rng.of([0n, 3n, 6n, 8n, GET]) : tracks ? STOP : START;
  gen.call('dirty', on.value, DIRTY_PAGES, { argsz: generateArgsz(gen, 8), flags });
};

export const generateInvalidContainer = (gen: GenContext, { value }: ContainerDescriptor): void => {
  const { rng } = gen;
  const command = rng.of([
    vfio.VFIO_IOMMU_ENABLE,
    vfio.VFIO_IOMMU_DISABLE,
    vfio.VFIO_GROUP_SET_CONTAINER,
    0x3b6b,
    0x3b7f,
    0x3b81,
  ]);
  gen.plain('invalid', value, command, { arena: STRUCT_OFFSET });
};

/** Maps other memory over that of maps, whose pages stay the old ones. */
export const generateMovedMemory = (gen: GenContext): void => {
  const { rng } = gen;
  const kind = rng.number(1, 6);
  if (kind === 1) {
    generateFile(gen, DATA_OFFSET);
    return;
  }
  if (kind === 2) {
    generateBar(gen);
    return;
  }
  gen.add({
    op: 'mmap',
    label: gen.builder.label('moved'),
    offset: rng.chance(1, 8) ? ARRAY_OFFSET : DATA_OFFSET + BigInt(rng.number(0, 31)) * PAGE,
    length: BigInt(rng.number(1, 3)) * PAGE,
    protection: rng.of(['read-write', 'read'] as const),
    shared: false,
    backing: { kind: 'anonymous' },
  });
};
