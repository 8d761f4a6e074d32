// Calls on a legacy container, drawn.

import { U64_MAX } from '../../../spec/abi/units.ts';
import * as vfio from '../../../spec/abi/vfio.ts';
import { nodesOf } from '../../../spec/collections/ordered-map.ts';
import { isOfNoIommu, type Type1 } from '../../../spec/state/container.ts';
import { spaceOf } from '../../../spec/state/memory.ts';
import { ARENA_BASE, ARRAY_OFFSET, DATA_LENGTH, DATA_OFFSET, STRUCT_OFFSET } from '../arena.ts';
import type { Argument, Value, WordsInMemory } from '../program.ts';
import { PROCESS } from '../run.ts';
import { drawFreeIova, drawMappingRange, drawType1Iova } from '../type1-values.ts';
import { drawArrayPlace, drawLength, drawUserAddress, wrap } from '../values.ts';
import { drawArgsz, drawInfoPlace, infoFields } from './compat.ts';
import { callAtEdge } from './device.ts';
import { drawFile, drawRegisters, drawSource } from './memory.ts';
import type { ContainerDescriptor, Scene } from './scene.ts';

const PAGE = 4096n;
const START = BigInt(vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_START);
const MAP_VADDR = BigInt(vfio.VFIO_DMA_MAP_FLAG_VADDR);

const type1Of = ({ file }: ContainerDescriptor): Type1 | undefined => file.container.type1;

export const drawOpenContainer = (scene: Scene): void =>
  scene.add({ op: 'open', label: scene.draft.label('container'), path: vfio.VFIO_CONTAINER_PATH });

const TYPES = [1n, 1n, 1n, 1n, 3n, 3n, 3n, 3n, 3n, 3n, 6n, 8n, 9n, 2n, 0n, 0x1_0000_0001n] as const;

export const drawSetIommu = (scene: Scene, { value, file }: ContainerDescriptor): void => {
  const { dice, platform } = scene;
  const withoutIommu = isOfNoIommu(platform, file.container) && dice.chance(5, 6);
  scene.plain('setIommu', value, vfio.VFIO_SET_IOMMU, withoutIommu ? 8n : dice.of(TYPES));
};

export const drawApiVersion = (scene: Scene, { value }: ContainerDescriptor): void =>
  scene.plain('version', value, vfio.VFIO_GET_API_VERSION, 0n);

/** Rooms at and beside the ends of the struct and of its capabilities. */
const ROOMS = [15, 16, 20, 23, 24, 56, 71, 72, 73, 80, 103, 104, 119, 120, 121, 135, 136, 200, 0];
const INFO_BYTES = 200;

export const drawGetInfo = (scene: Scene, { value }: ContainerDescriptor): void => {
  const { dice } = scene;
  const room = dice.chance(1, 3) ? INFO_BYTES : dice.of(ROOMS);
  const argument: Argument = {
    kind: 'struct',
    at: drawInfoPlace(dice, room),
    layout: 'VFIO_IOMMU_GET_INFO',
    fields: infoFields(BigInt(dice.chance(1, 30) ? 0xffff_ffff : room)),
    tail: 'aa'.repeat(INFO_BYTES - 24),
  };
  const label = scene.draft.label('info');
  scene.add({ op: 'ioctl', label, fd: value, command: vfio.VFIO_IOMMU_GET_INFO, argument });
};

/** Says where the memory of a mapping is now, mostly of one that is waiting for it. */
const drawNewAddress = (scene: Scene, on: ContainerDescriptor): void => {
  const { dice } = scene;
  const range = drawMappingRange(dice, type1Of(on));
  scene.call('mapDma', on.value, vfio.VFIO_IOMMU_MAP_DMA, 'VFIO_IOMMU_MAP_DMA', 32, {
    argsz: drawArgsz(scene, 32),
    flags: MAP_VADDR,
    vaddr: drawUserAddress(dice),
    iova: range?.iova ?? drawType1Iova(dice, type1Of(on)),
    size: range?.length ?? drawLength(dice),
  });
};

/** Where a map to the very end is lost to its container, nothing that follows could be judged: a page below. */
const belowEnd = (scene: Scene, iova: bigint, size: bigint): bigint =>
  scene.draft.world.release.type1.endsWrap && iova + size === END ? iova - PAGE : iova;

/** Pages of which no bitmap tells which were written: tracking does not begin over such a map. */
const VAST = 0x8000_0000n * PAGE;

/** A map with more pages than a bitmap has bits; where a mediated device is alone in the container, it can be made. */
const drawVastMap = (scene: Scene, on: ContainerDescriptor): void =>
  scene.call('mapDma', on.value, vfio.VFIO_IOMMU_MAP_DMA, 'VFIO_IOMMU_MAP_DMA', 32, {
    argsz: 32n,
    flags: 3n,
    vaddr: { arena: DATA_OFFSET },
    iova: drawFreeIova(scene.dice, type1Of(on)),
    size: VAST,
  });

/** Of more maps than these the limit is not looked for. */
const FEW_MAPS = 16;

/** Maps page by page until there are too many. */
const drawManyMaps = (scene: Scene, { value }: ContainerDescriptor, available: number): void => {
  for (let page = 0n; page <= BigInt(available); page += 1n) {
    scene.call('mapDma', value, vfio.VFIO_IOMMU_MAP_DMA, 'VFIO_IOMMU_MAP_DMA', 32, {
      argsz: 32n,
      flags: 3n,
      vaddr: { arena: DATA_OFFSET + page * PAGE },
      iova: FREE_IOVA + page * PAGE,
      size: PAGE,
    });
  }
};

const END = 1n << 64n;

/** Behind where other maps are drawn. */
const FREE_IOVA = 0x200_0000n;

/** What devices reserve and where the apertures of IOMMUs end: a group that joins later may forbid it. */
const drawDeviceEdge = (scene: Scene): bigint => {
  const { dice, platform } = scene;
  const starts = platform.devices.flatMap(({ reserved }) => reserved.map(({ start }) => start));
  const ends = platform.iommus.map(({ aperture }) => aperture.last + 1n).filter((end) => end < END);
  return wrap(dice.of([...starts, ...starts, ...ends]) + dice.of([0n, 0n, -PAGE]));
};

/** Right before one kind of memory ends and another begins, where the program made such a place. */
const drawMemoryEdge = (scene: Scene): bigint | undefined => {
  const { dice, draft } = scene;
  if (!dice.chance(1, 3)) return undefined;
  const starts: bigint[] = [];
  for (const { key } of nodesOf(spaceOf(draft.world.memory, PROCESS))) {
    const offset = key - ARENA_BASE;
    if (offset > DATA_OFFSET && offset < DATA_OFFSET + DATA_LENGTH) starts.push(offset);
  }
  return starts.length === 0 ? undefined : dice.of(starts) - BigInt(dice.number(0, 2)) * PAGE;
};

/** A map of a page that a group which joins later may forbid. */
export const drawEdgeMap = (scene: Scene, { value }: ContainerDescriptor): void =>
  scene.call('mapDma', value, vfio.VFIO_IOMMU_MAP_DMA, 'VFIO_IOMMU_MAP_DMA', 32, {
    argsz: 32n,
    flags: 3n,
    vaddr: { arena: DATA_OFFSET },
    iova: belowEnd(scene, drawDeviceEdge(scene), PAGE),
    size: PAGE,
  });

/** A map that mostly succeeds: whole pages where there is memory, and where something may be mapped. */
export const drawFittingMap = (scene: Scene, on: ContainerDescriptor): void => {
  const { dice } = scene;
  const page = BigInt(dice.number(0, 63)) * PAGE;
  const size = BigInt(dice.number(1, dice.chance(1, 6) ? 24 : 4)) * PAGE;
  scene.call('mapDma', on.value, vfio.VFIO_IOMMU_MAP_DMA, 'VFIO_IOMMU_MAP_DMA', 32, {
    argsz: 32n,
    flags: BigInt(dice.of([3, 3, 3, 1, 2])),
    vaddr: { arena: drawMemoryEdge(scene) ?? DATA_OFFSET + page },
    iova: belowEnd(
      scene,
      scene.platform.iommus.length > 0 && dice.chance(1, 6)
        ? drawDeviceEdge(scene)
        : drawFreeIova(dice, type1Of(on)),
      size,
    ),
    size,
  });
};

/** The first pages of the data region. */
export const mapPages = (scene: Scene, container: Value, iova: bigint, pages: bigint): void =>
  scene.call('mapDma', container, vfio.VFIO_IOMMU_MAP_DMA, 'VFIO_IOMMU_MAP_DMA', 32, {
    argsz: 32n,
    flags: 3n,
    vaddr: { arena: DATA_OFFSET },
    iova,
    size: pages * PAGE,
  });

/** One of some pages that are mapped one behind the other. */
export const mapPage = (scene: Scene, container: Value, index: number): void =>
  mapPages(scene, container, 0x100_0000n + BigInt(index) * PAGE, 1n);

export const startTracking = (scene: Scene, container: Value): void =>
  scene.call('dirty', container, vfio.VFIO_IOMMU_DIRTY_PAGES, 'VFIO_IOMMU_DIRTY_PAGES', 8, {
    argsz: 8n,
    flags: START,
  });

export const drawMapDma = (scene: Scene, on: ContainerDescriptor): void => {
  const { dice } = scene;
  const type1 = type1Of(on);
  const waits = type1 !== undefined && type1.invalidAddresses > 0;
  if (dice.chance(waits ? 8 : 1, 20)) {
    drawNewAddress(scene, on);
    return;
  }
  if (dice.chance(1, 2)) {
    drawFittingMap(scene, on);
    return;
  }
  if (type1 !== undefined && dice.chance(1, 16)) {
    if (type1.available <= FEW_MAPS) {
      drawManyMaps(scene, on, type1.available);
      return;
    }
    if (type1.tracksDirty || type1.domains.length === 0) {
      drawVastMap(scene, on);
      return;
    }
  }
  const { address, length: size } = drawSource(scene);
  scene.call('mapDma', on.value, vfio.VFIO_IOMMU_MAP_DMA, 'VFIO_IOMMU_MAP_DMA', 32, {
    argsz: drawArgsz(scene, 32),
    flags: BigInt(dice.of([3, 3, 3, 3, 3, 3, 3, 1, 1, 2, 0, 7, 8])),
    vaddr: address,
    iova: belowEnd(scene, drawType1Iova(dice, type1), size),
    size,
  });
};

const EVERY_OTHER = 0xaaaa_aaaa_aaaa_aaaan;
const WORDS = 4;
/** Bytes of the largest bitmap. */
const MOST_ROOM = 1n << 28n;
/** Of the bits of a bitmap, of which a container takes one alone: mostly those that all else fits. */
const ODD_PAGE_SIZES = [0x800n, 0x800n, 0x800n, 0x2000n, 0x2000n, 0n, 1n, 0x1800n] as const;
const MOST_PAGES = 0x1000_0000n * 8n;

type BitmapFields = {
  readonly fields: Readonly<
    Record<'iova' | 'size' | 'bitmap_pgsize' | 'bitmap_size' | 'bitmap_data', Value>
  >;
  readonly also: readonly WordsInMemory[];
};

/** A range to ask dirty pages of, and a bitmap for it with something in it already. */
const drawBitmap = (scene: Scene, on: ContainerDescriptor, wider: boolean): BitmapFields => {
  const { dice } = scene;
  const found = drawMappingRange(dice, type1Of(on));
  let iova = found?.iova ?? drawType1Iova(dice, type1Of(on));
  let size = found?.length ?? drawLength(dice);
  if (wider) {
    const before = BigInt(dice.of([0, 0, 1, 5, 63, 64, 70])) * PAGE;
    if (iova >= before) {
      iova -= before;
      size = wrap(size + before + BigInt(dice.of([0, 0, 1, 60])) * PAGE);
    }
  }
  const pages = size / PAGE < MOST_PAGES ? size / PAGE : MOST_PAGES;
  const bytes = ((pages + 63n) / 64n) * 8n;
  const place = drawArrayPlace(dice, Number(bytes < 64n ? bytes : 64n));
  const word = dice.of([0n, 0n, U64_MAX, EVERY_OTHER]);
  const pageSize = dice.chance(1, 5) ? dice.of(ODD_PAGE_SIZES) : PAGE;
  // Nothing else may be wrong where the size of its pages is.
  const room = pageSize === PAGE ? bytes : PAGE;
  return {
    fields: {
      iova,
      size,
      bitmap_pgsize: pageSize,
      bitmap_size: dice.chance(1, 10)
        ? dice.of([0n, bytes - 8n, bytes - 1n, 1n << 63n, MOST_ROOM, MOST_ROOM + 8n])
        : room,
      bitmap_data: dice.chance(1, 12)
        ? dice.of([U64_MAX, 0n, 0x7fff_ffff_fff8n, 0x7fff_ffff_eff8n])
        : place,
    },
    also: [{ at: place, words: new Array<bigint>(WORDS).fill(word) }],
  };
};

const drawUnmapWithBitmap = (scene: Scene, on: ContainerDescriptor): void => {
  const { dice } = scene;
  const { fields, also } = drawBitmap(scene, on, dice.chance(1, 2));
  const layout = 'VFIO_IOMMU_UNMAP_DMA with bitmap';
  const flags = BigInt(dice.chance(1, 5) ? dice.of([3, 5, 9]) : 1);
  if (dice.chance(1, 12)) {
    const header = { argsz: 48n, flags: 1n, ...fields };
    callAtEdge(scene, 'unmapDma', on.value, vfio.VFIO_IOMMU_UNMAP_DMA, layout, header, 24);
    return;
  }
  scene.call(
    'unmapDma',
    on.value,
    vfio.VFIO_IOMMU_UNMAP_DMA,
    layout,
    48,
    { argsz: dice.chance(1, 16) ? dice.of([24n, 47n]) : drawArgsz(scene, 48), flags, ...fields },
    also,
  );
};

const drawUnmapAll = (scene: Scene, on: ContainerDescriptor): void => {
  const { dice } = scene;
  const clean = dice.chance(4, 5);
  scene.call('unmapDma', on.value, vfio.VFIO_IOMMU_UNMAP_DMA, 'VFIO_IOMMU_UNMAP_DMA', 24, {
    argsz: drawArgsz(scene, 24),
    flags: dice.chance(1, 4) ? 6n : 2n,
    iova: clean ? 0n : drawType1Iova(dice, type1Of(on)),
    size: clean ? 0n : drawLength(dice),
  });
};

export const drawUnmapDma = (scene: Scene, on: ContainerDescriptor): void => {
  const { dice } = scene;
  const type1 = type1Of(on);
  const kind = dice.number(1, 20);
  if (kind <= (type1?.tracksDirty === true ? 6 : 1)) drawUnmapWithBitmap(scene, on);
  else if (kind <= 8) drawUnmapAll(scene, on);
  else drawUnmapRange(scene, on);
};

const drawUnmapRange = (scene: Scene, on: ContainerDescriptor): void => {
  const { dice } = scene;
  const type1 = type1Of(on);
  const pages = BigInt(dice.number(1, 3)) * PAGE;
  const range = dice.chance(1, 15)
    ? { iova: wrap(-pages), length: pages }
    : dice.chance(4, 5)
      ? drawMappingRange(dice, type1)
      : undefined;
  scene.call('unmapDma', on.value, vfio.VFIO_IOMMU_UNMAP_DMA, 'VFIO_IOMMU_UNMAP_DMA', 24, {
    argsz: drawArgsz(scene, 24),
    flags: dice.chance(1, 30) ? 8n : dice.chance(1, 5) ? 4n : 0n,
    iova: range?.iova ?? drawType1Iova(dice, type1),
    size: range?.length ?? drawLength(dice),
  });
};

const STOP = BigInt(vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP);
const GET = BigInt(vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP);

export const drawDirtyPages = (scene: Scene, on: ContainerDescriptor): void => {
  const { dice } = scene;
  const tracks = type1Of(on)?.tracksDirty === true;
  const command = vfio.VFIO_IOMMU_DIRTY_PAGES;
  if (dice.chance(tracks ? 5 : 1, 6)) {
    const { fields, also } = drawBitmap(scene, on, dice.chance(2, 3));
    const layout = 'VFIO_IOMMU_DIRTY_PAGES with bitmap';
    const header = { argsz: drawArgsz(scene, 48), flags: GET };
    scene.call('dirty', on.value, command, layout, 48, { ...header, ...fields }, also);
    return;
  }
  const flags = dice.chance(1, 12) ? dice.of([0n, 3n, 6n, 8n, GET]) : tracks ? STOP : START;
  scene.call('dirty', on.value, command, 'VFIO_IOMMU_DIRTY_PAGES', 8, {
    argsz: drawArgsz(scene, 8),
    flags,
  });
};

export const drawOddContainer = (scene: Scene, { value }: ContainerDescriptor): void => {
  const { dice } = scene;
  const command = dice.of([
    vfio.VFIO_IOMMU_ENABLE,
    vfio.VFIO_IOMMU_DISABLE,
    vfio.VFIO_GROUP_SET_CONTAINER,
    0x3b6b,
    0x3b7f,
    0x3b81,
  ]);
  scene.plain('odd', value, command, { arena: STRUCT_OFFSET });
};

/** Moves memory from under mappings, whose pages stay where they were. */
export const drawMovedMemory = (scene: Scene): void => {
  const { dice } = scene;
  const kind = dice.number(1, 6);
  if (kind === 1) {
    drawFile(scene, DATA_OFFSET);
    return;
  }
  if (kind === 2) {
    drawRegisters(scene);
    return;
  }
  scene.add({
    op: 'mmap',
    label: scene.draft.label('moved'),
    offset: dice.chance(1, 8) ? ARRAY_OFFSET : DATA_OFFSET + BigInt(dice.number(0, 31)) * PAGE,
    length: BigInt(dice.number(1, 3)) * PAGE,
    protection: dice.of(['read-write', 'read'] as const),
    shared: false,
    backing: { kind: 'anonymous' },
  });
};
