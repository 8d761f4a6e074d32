// What takes many calls to come to in a legacy container, drawn: groups that join when much is mapped, behind an IOMMU
// that is new to it or not, and bitmaps of more pages than a word has bits.

import { U64_MAX } from '../../../spec/abi/units.ts';
import * as vfio from '../../../spec/abi/vfio.ts';
import { ARRAY_OFFSET, DATA_OFFSET, HUGE_OFFSET, HUGE_PAGE, NO_ACCESS_OFFSET } from '../arena.ts';
import type { Value } from '../program.ts';
import { wrap } from '../values.ts';
import { fitsLegacyContainer, joinContainer } from './compat.ts';
import { drawRegisters } from './memory.ts';
import type { Scene } from './scene.ts';
import { drawEdgeMap, drawGetInfo, drawOpenContainer, startTracking } from './type1.ts';

const PAGE = 4096n;
const LOW = 0x100_0000n;

const pagesOf = (scene: Scene, least: number, most: number): bigint =>
  BigInt(scene.dice.number(least, most)) * PAGE;

const map = (scene: Scene, on: Value, arena: bigint, iova: bigint, size: bigint): void => {
  const fields = { argsz: 32n, flags: 3n, vaddr: { arena }, iova, size };
  scene.call('mapDma', on, vfio.VFIO_IOMMU_MAP_DMA, 'VFIO_IOMMU_MAP_DMA', 32, fields);
};

const unmap = (scene: Scene, on: Value, iova: bigint, size: bigint, flags: bigint): void => {
  const fields = { argsz: 24n, flags, iova, size };
  scene.call('unmapDma', on, vfio.VFIO_IOMMU_UNMAP_DMA, 'VFIO_IOMMU_UNMAP_DMA', 24, fields);
};

/** Groups that a legacy container can serve, those of mediated devices first or not. */
const servedGroups = (scene: Scene, emulatedFirst: boolean): number[] => {
  const { devices } = scene.platform;
  const isEmulated = (group: number): boolean =>
    devices.some((device) => device.group === group && device.iommu === 'none');
  const groups = [
    ...new Set(devices.filter(({ iommu }) => iommu !== 'noiommu').map(({ group }) => group)),
  ].filter((group) => fitsLegacyContainer(scene, group));
  const left = [...groups];
  const order: number[] = [];
  while (left.length > 0) order.push(...left.splice(scene.dice.number(0, left.length - 1), 1));
  if (!emulatedFirst) return order;
  return [...order.filter(isEmulated), ...order.filter((group) => !isEmulated(group))];
};

const join = (scene: Scene, container: Value, group: number): Value => {
  const label = scene.draft.label('group');
  scene.add({ op: 'open', label, path: `/dev/vfio/${group}` });
  const value = { from: label, out: 'result' };
  joinContainer(scene, value, container);
  return value;
};

const leave = (scene: Scene, group: Value): void =>
  scene.plain('unsetContainer', group, vfio.VFIO_GROUP_UNSET_CONTAINER, 0n);

/** A container with one group in it, and the others that could join. */
const begun = (
  scene: Scene,
  emulatedFirst: boolean,
):
  | { readonly container: Value; readonly joined: Value[]; readonly others: number[] }
  | undefined => {
  const [first, ...others] = servedGroups(scene, emulatedFirst);
  if (first === undefined) return undefined;
  drawOpenContainer(scene);
  const container = scene.containers().at(-1)?.value;
  if (container === undefined) return undefined;
  const joined = [join(scene, container, first)];
  scene.plain('setIommu', container, vfio.VFIO_SET_IOMMU, scene.dice.of([1n, 3n, 3n]));
  return { container, joined, others };
};

/** Memory for a map: mostly of the usual kind, else what cannot be pinned, or is a device's in part. */
const drawPlace = (scene: Scene): bigint =>
  scene.dice.chance(1, 8)
    ? NO_ACCESS_OFFSET
    : scene.dice.chance(1, 8)
      ? HUGE_OFFSET
      : DATA_OFFSET + pagesOf(scene, 0, 12);

/** Groups join and leave while several maps are there; a join that fails half way leaves nothing behind. */
export const beginLateJoins = (scene: Scene): void => {
  const { dice } = scene;
  const found = begun(scene, dice.chance(2, 3));
  if (found === undefined) return;
  const { container, joined, others } = found;
  if (dice.chance(1, 3)) drawRegisters(scene);
  if (dice.chance(1, 3)) startTracking(scene, container);
  const count = dice.number(1, 4);
  for (let index = 0n; index < BigInt(count); index += 1n) {
    map(scene, container, drawPlace(scene), LOW + index * 16n * PAGE, pagesOf(scene, 1, 12));
  }
  const [on] = scene.containers();
  if (on !== undefined && scene.platform.iommus.length > 0 && dice.chance(1, 3)) {
    drawEdgeMap(scene, on);
  }
  // What is waiting for its memory keeps groups out.
  if (dice.chance(1, 6)) unmap(scene, container, 0n, 0n, 6n);
  for (const group of others.slice(0, dice.number(1, 3))) {
    joined.push(join(scene, container, group));
    if (dice.chance(1, 3)) leave(scene, dice.of(joined));
  }
  if (dice.chance(1, 2)) {
    const offset = NO_ACCESS_OFFSET;
    const label = scene.draft.label('memory');
    const memory = { label, offset, length: 4n * PAGE, protection: 'read-write' } as const;
    scene.add({ op: 'mmap', ...memory, shared: false, backing: { kind: 'anonymous' } });
    joinContainer(scene, dice.of(joined), container);
  }
  while (joined.length > 0 && dice.chance(2, 3)) {
    const [group] = joined.splice(dice.number(0, joined.length - 1), 1);
    if (group !== undefined) leave(scene, group);
    const [on] = scene.containers();
    if (on !== undefined && dice.chance(1, 2)) drawGetInfo(scene, on);
  }
};

/** A stretch of memory that is longer than a word of a bitmap tells of: behind what the arena has by itself. */
const MANY_OFFSET = 160n * PAGE;
const MANY_LENGTH = 256n * PAGE;

const WORDS = 12;
/** Bytes whose bitmap is more than a page. */
const LONG = 0x8000n * PAGE;

const askDirty = (scene: Scene, container: Value, iova: bigint, size: bigint): void => {
  const { dice } = scene;
  const at = { arena: ARRAY_OFFSET + dice.of([0n, 0n, 8n, PAGE - 16n]) };
  const word = dice.of([0n, 0n, 0xffff_ffff_ffff_ffffn, 0xaaaa_aaaa_aaaa_aaaan]);
  const words = new Array<bigint>(WORDS).fill(word);
  const end = { arena: at.arena + ((size / PAGE + 63n) / 64n) * 8n };
  const isLong = size > LONG && at.arena < ARRAY_OFFSET + PAGE;
  const also = [{ at, words }, ...(isLong ? [{ at: end, words }] : [])];
  const bytes = ((size / PAGE + 63n) / 64n) * 8n;
  const bitmap = { bitmap_pgsize: PAGE, bitmap_size: bytes, bitmap_data: at };
  const gone = dice.chance(1, 5);
  const fields = { argsz: 48n, flags: gone ? 1n : 4n, iova, size, ...bitmap };
  const command = gone ? vfio.VFIO_IOMMU_UNMAP_DMA : vfio.VFIO_IOMMU_DIRTY_PAGES;
  const layout = gone ? 'VFIO_IOMMU_UNMAP_DMA with bitmap' : 'VFIO_IOMMU_DIRTY_PAGES with bitmap';
  scene.call('dirty', container, command, layout, 48, fields, also);
};

const TASK_END = 0x7fff_ffff_f000n;

/** Bitmaps for page sizes and ranges that there are none of, or that stand at the end of user memory. */
const askOdd = (scene: Scene, container: Value, iova: bigint, size: bigint): void => {
  const { dice } = scene;
  const bytes = ((size / PAGE + 63n) / 64n) * 8n;
  const fields = {
    argsz: 48n,
    flags: 4n,
    iova,
    size: dice.of([0n, size, size, PAGE, U64_MAX, wrap(-iova), wrap(-PAGE)]),
    bitmap_pgsize: dice.of([0n, 1n, PAGE, PAGE, PAGE, 2n * PAGE]),
    bitmap_size: dice.of([0n, 8n, bytes, bytes, 1n << 28n, (1n << 28n) + 8n]),
    bitmap_data: dice.of([{ arena: ARRAY_OFFSET }, TASK_END - 8n, TASK_END - 16n, TASK_END]),
  };
  const layout = 'VFIO_IOMMU_DIRTY_PAGES with bitmap';
  scene.call('dirty', container, vfio.VFIO_IOMMU_DIRTY_PAGES, layout, 48, fields);
};

/** Which of many pages were written to, told of ranges that begin before what is mapped and end behind it. */
export const beginManyPages = (scene: Scene): void => {
  const { dice } = scene;
  const found = begun(scene, dice.chance(1, 2));
  if (found === undefined) return;
  const { container, joined, others } = found;
  const isHuge = dice.chance(1, 4) && scene.platform.memoryKinds?.includes('huge') === true;
  const offset = isHuge ? HUGE_OFFSET : MANY_OFFSET;
  scene.add({
    op: 'mmap',
    label: scene.draft.label('memory'),
    offset,
    length: isHuge ? HUGE_PAGE : MANY_LENGTH,
    protection: 'read-write',
    shared: false,
    backing: { kind: isHuge ? 'huge' : 'anonymous' },
  });
  const [other] = others;
  if (other !== undefined && dice.chance(1, 2)) joined.push(join(scene, container, other));
  const early = dice.chance(1, 2);
  if (early) startTracking(scene, container);
  const start = LOW + pagesOf(scene, 0, 80);
  // What nobody pins may be larger than the memory that there is.
  const isVast = scene.platform.iommus.length === 0 && dice.chance(1, 3);
  const first = isVast
    ? pagesOf(scene, 32_760, 40_000)
    : isHuge
      ? HUGE_PAGE
      : pagesOf(scene, 1, 140);
  const second = pagesOf(scene, 1, 80);
  const gap = dice.chance(1, 3) ? 0n : pagesOf(scene, 0, 70);
  map(scene, container, offset, start, first);
  map(scene, container, offset, start + first + gap, second);
  if (!early) startTracking(scene, container);
  if (joined.length > 1 && dice.chance(1, 2)) leave(scene, dice.of(joined));
  if (dice.chance(1, 3)) startTracking(scene, container);
  if (dice.chance(1, 3)) askOdd(scene, container, start, first);
  for (let asked = dice.number(2, 4); asked > 0; asked -= 1) {
    const before = dice.of([0n, 1n, 5n, 63n, 64n, 70n]) * PAGE;
    const all = first + gap + second;
    const size = dice.chance(1, 3) ? first : all + dice.of([0n, 0n, 1n, 60n]) * PAGE;
    askDirty(scene, container, start - before, before + size);
  }
  if (dice.chance(1, 2)) unmap(scene, container, start, first, 0n);
};
