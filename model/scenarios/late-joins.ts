// SPDX-License-Identifier: MIT
// Generates states of a legacy container that take many calls: groups that join when much is
// mapped, with a new IOMMU or the same, and bitmaps of more than one word.

import { U64_MAX } from '../../spec/abi/units.ts';
import * as vfio from '../../spec/abi/vfio.ts';
import { fitsLegacyContainer, joinContainer } from '../generate/compat.ts';
import type { GenContext } from '../generate/gen-context.ts';
import { generateBar } from '../generate/memory.ts';
import {
  generateEdgeMap,
  generateGetInfo,
  generateOpenContainer,
  startTracking,
} from '../generate/type1.ts';
import { wrap } from '../generate/values.ts';
import { MAP_DMA, UNMAP_DMA } from '../generate/vfio-call.ts';
import {
  ARRAY_OFFSET,
  DATA_OFFSET,
  HUGE_OFFSET,
  HUGE_PAGE,
  NO_ACCESS_OFFSET,
} from '../programs/arena.ts';
import type { Value } from '../programs/program.ts';

const PAGE = 4096n;
const LOW = 0x100_0000n;

const pagesOf = (gen: GenContext, least: number, most: number): bigint =>
  BigInt(gen.rng.number(least, most)) * PAGE;

const map = (gen: GenContext, on: Value, arena: bigint, iova: bigint, size: bigint): void => {
  const fields = { argsz: 32n, flags: 3n, vaddr: { arena }, iova, size };
  gen.call('mapDma', on, MAP_DMA, fields);
};

const unmap = (gen: GenContext, on: Value, iova: bigint, size: bigint, flags: bigint): void => {
  const fields = { argsz: 24n, flags, iova, size };
  gen.call('unmapDma', on, UNMAP_DMA, fields);
};

/** Groups that a legacy container can serve, optionally those of mdevs first. */
const servedGroups = (gen: GenContext, emulatedFirst: boolean): number[] => {
  const { devices } = gen.platform;
  const isEmulated = (group: number): boolean =>
    devices.some((device) => device.group === group && device.iommu === 'none');
  const groups = [
    ...new Set(devices.filter(({ iommu }) => iommu !== 'noiommu').map(({ group }) => group)),
  ].filter((group) => fitsLegacyContainer(gen, group));
  const left = [...groups];
  const order: number[] = [];
  while (left.length > 0) order.push(...left.splice(gen.rng.number(0, left.length - 1), 1));
  if (!emulatedFirst) return order;
  return [...order.filter(isEmulated), ...order.filter((group) => !isEmulated(group))];
};

const join = (gen: GenContext, container: Value, group: number): Value => {
  const label = gen.builder.label('group');
  gen.add({ op: 'open', label, path: `/dev/vfio/${group}` });
  const value = { from: label, out: 'result' };
  joinContainer(gen, value, container);
  return value;
};

const leave = (gen: GenContext, group: Value): void =>
  gen.plain('unsetContainer', group, vfio.VFIO_GROUP_UNSET_CONTAINER, 0n);

/** A container with one group in it, and the other groups that could join. */
const begun = (
  gen: GenContext,
  emulatedFirst: boolean,
):
  | { readonly container: Value; readonly joined: Value[]; readonly others: number[] }
  | undefined => {
  const [first, ...others] = servedGroups(gen, emulatedFirst);
  if (first === undefined) return undefined;
  generateOpenContainer(gen);
  const container = gen.containers().at(-1)?.value;
  if (container === undefined) return undefined;
  const joined = [join(gen, container, first)];
  gen.plain('setIommu', container, vfio.VFIO_SET_IOMMU, gen.rng.of([1n, 3n, 3n]));
  return { container, joined, others };
};

/**
 * Memory for a map: mostly the usual kind, else memory that cannot be pinned, or is partly a BAR.
 */
const generateMemoryOffset = (gen: GenContext): bigint =>
  gen.rng.chance(1, 8)
    ? NO_ACCESS_OFFSET
    : gen.rng.chance(1, 8)
      ? HUGE_OFFSET
      : DATA_OFFSET + pagesOf(gen, 0, 12);

/**
 * Groups join and leave while there are several maps; a join that fails halfway leaves nothing
 * behind.
 */
export const beginLateJoins = (gen: GenContext): void => {
  const { rng } = gen;
  const found = begun(gen, rng.chance(2, 3));
  if (found === undefined) return;
  const { container, joined, others } = found;
  if (rng.chance(1, 3)) generateBar(gen);
  if (rng.chance(1, 3)) startTracking(gen, container);
  const count = rng.number(1, 4);
  for (let index = 0n; index < BigInt(count); index += 1n) {
    map(gen, container, generateMemoryOffset(gen), LOW + index * 16n * PAGE, pagesOf(gen, 1, 12));
  }
  const [on] = gen.containers();
  if (on !== undefined && gen.platform.iommus.length > 0 && rng.chance(1, 3)) {
    generateEdgeMap(gen, on);
  }
  // A map with an invalid vaddr keeps groups out.
  if (rng.chance(1, 6)) unmap(gen, container, 0n, 0n, 6n);
  for (const group of others.slice(0, rng.number(1, 3))) {
    joined.push(join(gen, container, group));
    if (rng.chance(1, 3)) leave(gen, rng.of(joined));
  }
  if (rng.chance(1, 2)) {
    const offset = NO_ACCESS_OFFSET;
    const label = gen.builder.label('memory');
    const memory = { label, offset, length: 4n * PAGE, protection: 'read-write' } as const;
    gen.add({ op: 'mmap', ...memory, shared: false, backing: { kind: 'anonymous' } });
    joinContainer(gen, rng.of(joined), container);
  }
  while (joined.length > 0 && rng.chance(2, 3)) {
    const [group] = joined.splice(rng.number(0, joined.length - 1), 1);
    if (group !== undefined) leave(gen, group);
    const [on] = gen.containers();
    if (on !== undefined && rng.chance(1, 2)) generateGetInfo(gen, on);
  }
};

/** Memory for which a bitmap has more than one word: after the arena's own regions. */
const MANY_OFFSET = 160n * PAGE;
const MANY_LENGTH = 256n * PAGE;

const WORDS = 12;
/** Bytes whose bitmap is larger than a page. */
const LONG = 0x8000n * PAGE;

const askDirty = (gen: GenContext, container: Value, iova: bigint, size: bigint): void => {
  const { rng } = gen;
  const at = { arena: ARRAY_OFFSET + rng.of([0n, 0n, 8n, PAGE - 16n]) };
  const word = rng.of([0n, 0n, 0xffff_ffff_ffff_ffffn, 0xaaaa_aaaa_aaaa_aaaan]);
  const words = new Array<bigint>(WORDS).fill(word);
  const end = { arena: at.arena + ((size / PAGE + 63n) / 64n) * 8n };
  const isLong = size > LONG && at.arena < ARRAY_OFFSET + PAGE;
  const also = [{ at, words }, ...(isLong ? [{ at: end, words }] : [])];
  const bytes = ((size / PAGE + 63n) / 64n) * 8n;
  const bitmap = { bitmap_pgsize: PAGE, bitmap_size: bytes, bitmap_data: at };
  const gone = rng.chance(1, 5);
  const fields = { argsz: 48n, flags: gone ? 1n : 4n, iova, size, ...bitmap };
  const command = gone ? vfio.VFIO_IOMMU_UNMAP_DMA : vfio.VFIO_IOMMU_DIRTY_PAGES;
  const layout = gone ? 'VFIO_IOMMU_UNMAP_DMA with bitmap' : 'VFIO_IOMMU_DIRTY_PAGES with bitmap';
  gen.call('dirty', container, { command, layout, size: 48 }, fields, also);
};

const TASK_END = 0x7fff_ffff_f000n;

/** Bitmaps with unsupported page sizes and ranges, or at the end of user memory. */
const askInvalid = (gen: GenContext, container: Value, iova: bigint, size: bigint): void => {
  const { rng } = gen;
  const bytes = ((size / PAGE + 63n) / 64n) * 8n;
  const fields = {
    argsz: 48n,
    flags: 4n,
    iova,
    size: rng.of([0n, size, size, PAGE, U64_MAX, wrap(-iova), wrap(-PAGE)]),
    bitmap_pgsize: rng.of([0n, 1n, PAGE, PAGE, PAGE, 2n * PAGE]),
    bitmap_size: rng.of([0n, 8n, bytes, bytes, 1n << 28n, (1n << 28n) + 8n]),
    bitmap_data: rng.of([{ arena: ARRAY_OFFSET }, TASK_END - 8n, TASK_END - 16n, TASK_END]),
  };
  const layout = 'VFIO_IOMMU_DIRTY_PAGES with bitmap';
  gen.call('dirty', container, { command: vfio.VFIO_IOMMU_DIRTY_PAGES, layout, size: 48 }, fields);
};

/** Dirty bitmaps of many pages, for ranges that begin before the maps and end after them. */
export const beginManyPages = (gen: GenContext): void => {
  const { rng } = gen;
  const found = begun(gen, rng.chance(1, 2));
  if (found === undefined) return;
  const { container, joined, others } = found;
  const isHuge = rng.chance(1, 4) && gen.platform.memoryKinds?.includes('huge') === true;
  const offset = isHuge ? HUGE_OFFSET : MANY_OFFSET;
  gen.add({
    op: 'mmap',
    label: gen.builder.label('memory'),
    offset,
    length: isHuge ? HUGE_PAGE : MANY_LENGTH,
    protection: 'read-write',
    shared: false,
    backing: { kind: isHuge ? 'huge' : 'anonymous' },
  });
  const [other] = others;
  if (other !== undefined && rng.chance(1, 2)) joined.push(join(gen, container, other));
  const early = rng.chance(1, 2);
  if (early) startTracking(gen, container);
  const start = LOW + pagesOf(gen, 0, 80);
  // A map that nothing pins may be larger than the memory.
  const isVast = gen.platform.iommus.length === 0 && rng.chance(1, 3);
  const first = isVast ? pagesOf(gen, 32_760, 40_000) : isHuge ? HUGE_PAGE : pagesOf(gen, 1, 140);
  const second = pagesOf(gen, 1, 80);
  const gap = rng.chance(1, 3) ? 0n : pagesOf(gen, 0, 70);
  map(gen, container, offset, start, first);
  map(gen, container, offset, start + first + gap, second);
  if (!early) startTracking(gen, container);
  if (joined.length > 1 && rng.chance(1, 2)) leave(gen, rng.of(joined));
  if (rng.chance(1, 3)) startTracking(gen, container);
  if (rng.chance(1, 3)) askInvalid(gen, container, start, first);
  for (let asked = rng.number(2, 4); asked > 0; asked -= 1) {
    const before = rng.of([0n, 1n, 5n, 63n, 64n, 70n]) * PAGE;
    const all = first + gap + second;
    const size = rng.chance(1, 3) ? first : all + rng.of([0n, 0n, 1n, 60n]) * PAGE;
    askDirty(gen, container, start - before, before + size);
  }
  if (rng.chance(1, 2)) unmap(gen, container, start, first, 0n);
};
