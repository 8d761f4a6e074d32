// SPDX-License-Identifier: MIT
// Generates states of one iommufd that take many calls: holes of many widths, calls that fail
// halfway, copies on the slow path, files mapped twice, huge pages that are cut.

import { MOCK_ACCESS_RW_SLOW_PATH, MOCK_ACCESS_RW_WRITE } from '../../spec/abi/test.ts';
import {
  generateBoundAndAttached,
  generateOpenDevice,
  hasDeviceFiles,
} from '../generate/device.ts';
import type { GenContext } from '../generate/gen-context.ts';
import { nativeCall } from '../generate/native-call.ts';
import type { Rng } from '../generate/rng.ts';
import { testCall } from '../generate/test-call.ts';
import {
  ARRAY_OFFSET,
  DATA_OFFSET,
  HUGE_LENGTH,
  HUGE_OFFSET,
  HUGE_PAGE,
  NO_ACCESS_OFFSET,
  READ_ONLY_OFFSET,
  SHARED_OFFSET,
} from '../programs/arena.ts';
import type { Label, Value } from '../programs/program.ts';
import { allocate, attach, open, use } from './first-calls.ts';

const PAGE = 4096n;
const LOW = 0x100_0000n;
const WRITABLE = 6n;
const FIXED = 7n;

const pagesOf = (rng: Rng, least: number, most: number): bigint =>
  BigInt(rng.number(least, most)) * PAGE;

/** Maps memory of the arena at an IOVA, or where the kernel chooses. */
export const mapMemory = (
  gen: GenContext,
  fd: Value,
  ioas: Value,
  arena: bigint,
  length: bigint,
  iova?: bigint,
): void => {
  const flags = iova === undefined ? WRITABLE : FIXED;
  const fixed = iova === undefined ? {} : { iova };
  const fields = { flags, ioas_id: ioas, user_va: { arena }, length, ...fixed };
  nativeCall(gen, 'map', fd, 'IOMMU_IOAS_MAP', fields);
};

const mapFile = (gen: GenContext, fd: Value, ioas: Value, file: Value, iova: bigint): void => {
  const { rng } = gen;
  const [start, length] = [pagesOf(rng, 0, 3), pagesOf(rng, 1, 4)];
  const fields = { flags: FIXED, ioas_id: ioas, fd: file, start, length, iova };
  nativeCall(gen, 'mapFile', fd, 'IOMMU_IOAS_MAP_FILE', fields);
};

const remap = (gen: GenContext, offset: bigint, length: bigint): void =>
  gen.add({
    op: 'mmap',
    label: gen.builder.label('memory'),
    offset,
    length,
    protection: 'read-write',
    shared: false,
    backing: { kind: 'anonymous' },
  });

/** Stores bytes, so that memory is not all zero. */
const store = (gen: GenContext, offset: bigint): void =>
  gen.add({
    op: 'store',
    label: gen.builder.label('memory'),
    offset,
    hex: gen.rng.u64().toString(16).padStart(16, '0'),
  });

/**
 * Attaches a device to the table: a mock device, or one of the platform's if there are no mocks.
 */
const follow = (gen: GenContext, fd: Value, ioas: Value): void => {
  if (gen.platform.mockDevices) {
    attach(gen, fd, ioas);
    return;
  }
  if (!hasDeviceFiles(gen)) return;
  generateOpenDevice(gen);
  const cdev = gen.descriptorsOf('cdev').at(-1);
  if (cdev !== undefined) generateBoundAndAttached(gen, cdev, fd, ioas);
};

type Span = { readonly iova: bigint; readonly length: bigint };

/** Ranges that touch, so that a chosen range may be in two of them. */
const allowTwo = (gen: GenContext, fd: Value, ioas: Value, end: bigint): void => {
  const middle = pagesOf(gen.rng, 2, 12);
  const gap = gen.rng.of([0n, 0n, 1n, PAGE]);
  const words = [PAGE, middle - 1n, middle + gap, end - 1n];
  const fields = { ioas_id: ioas, num_iovas: 2n, allowed_iovas: { arena: ARRAY_OFFSET } };
  nativeCall(gen, 'allow', fd, 'IOMMU_IOAS_ALLOW_IOVAS', fields, [
    { at: { arena: ARRAY_OFFSET }, words },
  ]);
};

/** Reserves a byte or a page at an end of an area, or next to it. */
const reserveNear = (gen: GenContext, fd: Value, ioas: Value, { iova, length }: Span): void => {
  if (!gen.platform.testCommands) return;
  const { rng } = gen;
  const start = rng.of([
    iova - 1n,
    iova,
    iova + length - 1n,
    ...new Array<bigint>(4).fill(iova + length),
  ]);
  const fields = { id: ioas, start, length: rng.of([1n, 1n, PAGE]) };
  gen.add(testCall(gen.builder.label('reserve'), fd, 'ADD_RESERVED', fields));
};

/**
 * Areas from the first page on, with holes of many widths, and then maps whose IOVA the kernel
 * chooses.
 */
export const beginHoles = (gen: GenContext): void => {
  const { rng } = gen;
  const fd = open(gen);
  const ioas = allocate(gen, fd);
  const areas: Span[] = [];
  let at = pagesOf(rng, 1, 3);
  for (let count = rng.number(3, 9); count > 0; count -= 1) {
    const length = pagesOf(rng, 1, 3);
    areas.push({ iova: at, length });
    at += length + rng.of([0n, 1n, 1n, 2n, 3n, 5n, 8n]) * PAGE;
  }
  const left = [...areas];
  while (left.length > 0) {
    const [area] = left.splice(rng.number(0, left.length - 1), 1);
    if (area !== undefined) mapMemory(gen, fd, ioas, DATA_OFFSET, area.length, area.iova);
  }
  if (rng.chance(1, 3)) allowTwo(gen, fd, ioas, at + pagesOf(rng, 0, 4));
  for (let count = rng.of([0, 0, 1, 3]); count > 0; count -= 1) {
    reserveNear(gen, fd, ioas, rng.of(areas));
  }
  if (rng.chance(1, 2)) {
    const { iova, length } = rng.of(areas);
    nativeCall(gen, 'unmap', fd, 'IOMMU_IOAS_UNMAP', { ioas_id: ioas, iova, length });
  }
  for (let count = rng.number(2, 6); count > 0; count -= 1) {
    const length = pagesOf(rng, 1, rng.chance(1, 3) ? 8 : 3) - rng.of([0n, 0n, 0n, 1n, 2048n]);
    const from = DATA_OFFSET + pagesOf(rng, 0, 20) + rng.of([0n, 0n, 0n, 2048n]);
    mapMemory(gen, fd, ioas, from, length);
  }
};

/** Memory that cannot be pinned for writing. */
const BAD_OFFSETS = [NO_ACCESS_OFFSET, NO_ACCESS_OFFSET, READ_ONLY_OFFSET, HUGE_OFFSET] as const;

/**
 * Areas one after the other, one of which cannot be pinned or exceeds the limit: none may remain.
 */
export const beginHalfway = (gen: GenContext): void => {
  const { rng } = gen;
  const fd = open(gen);
  const [source, target] = [allocate(gen, fd), allocate(gen, fd)];
  const hasTwo = rng.chance(1, 2);
  follow(gen, fd, target);
  if (hasTwo) follow(gen, fd, target);
  if (rng.chance(1, 4)) mapMemory(gen, fd, target, DATA_OFFSET, pagesOf(rng, 1, 9), 2n * LOW);
  const count = rng.number(2, 4);
  const bad = rng.number(0, count);
  let length = 0n;
  for (let index = 0; index < count; index += 1) {
    const own = pagesOf(rng, 1, rng.chance(1, 3) ? 9 : 3);
    const from = index === bad ? rng.of(BAD_OFFSETS) : DATA_OFFSET + pagesOf(rng, 0, 40);
    mapMemory(gen, fd, source, from, own, LOW + length);
    length += own;
  }
  const copy = (iova: bigint): void => {
    const fields = { dst_ioas_id: target, src_ioas_id: source, length };
    const iovas = { dst_iova: iova, src_iova: LOW };
    nativeCall(gen, 'copy', fd, 'IOMMU_IOAS_COPY', { flags: FIXED, ...fields, ...iovas });
  };
  copy(LOW);
  if (rng.chance(1, 2)) follow(gen, fd, source);
  if (rng.chance(1, 2)) {
    remap(gen, NO_ACCESS_OFFSET, 4n * PAGE);
    copy(LOW);
    if (rng.chance(1, 2)) copy(4n * LOW);
    if (rng.chance(1, 2)) follow(gen, fd, source);
  }
};

/** Bytes of a copy: within a page, over its end, over a whole page. */
const COPIED = [8, 16, 64, 0x1010] as const;

const copyBytes = (gen: GenContext, fd: Value, user: Value, length: bigint): void => {
  const { rng } = gen;
  const bytes = rng.of(COPIED);
  const edge = pagesOf(rng, 0, Number(length / PAGE)) - rng.of([0n, 0n, 1n, 8n, 16n]);
  const iova = LOW + (edge < 0n ? 0n : edge);
  const slow = rng.chance(4, 5) ? MOCK_ACCESS_RW_SLOW_PATH : 0;
  const flags = BigInt(slow | (rng.chance(1, 2) ? MOCK_ACCESS_RW_WRITE : 0));
  const at = { arena: ARRAY_OFFSET + rng.of([0n, 0n, 2048n]) };
  for (let word = 0n; word < 3n; word += 1n) store(gen, at.arena + word * 8n);
  if (bytes > Number(PAGE)) store(gen, at.arena + PAGE + 8n);
  const fields = { id: user, iova, length: BigInt(bytes), uptr: at, flags };
  gen.add(testCall(gen.builder.label('rw'), fd, 'ACCESS_RW', fields));
};

/**
 * An access that copies across page boundaries; it or a device has pinned some of the pages, or
 * they have moved.
 */
export const beginSlowCopies = (gen: GenContext): void => {
  const { rng } = gen;
  const fd = open(gen);
  const ioas = allocate(gen, fd);
  if (rng.chance(1, 2)) attach(gen, fd, ioas);
  const length = pagesOf(rng, 3, 9);
  const isFile = gen.release.has.IOMMU_IOAS_MAP_FILE && rng.chance(1, 4);
  const from = DATA_OFFSET + pagesOf(rng, 0, 9) + (isFile ? 0n : rng.of([0n, 0n, 512n]));
  if (isFile) mapFile(gen, fd, ioas, memoryFile(gen, 8n * PAGE), LOW);
  else mapMemory(gen, fd, ioas, from, length, LOW);
  const user = use(gen, fd, ioas);
  for (let count = rng.number(1, 4); count > 0; count -= 1) {
    store(gen, from + pagesOf(rng, 0, 3) + rng.of([0n, 8n, 4088n]));
  }
  if (rng.chance(1, 2)) {
    const iova = LOW + pagesOf(rng, 0, 2);
    const fields = { id: user, iova, length: pagesOf(rng, 1, 2), flags: 0n, uptr: 0n };
    gen.add(testCall(gen.builder.label('pin'), fd, 'ACCESS_PAGES', fields));
  }
  const moved = DATA_OFFSET + pagesOf(rng, 0, 9);
  if (!isFile && rng.chance(1, 2)) remap(gen, moved, 2n * PAGE);
  else if (rng.chance(1, 3)) {
    const label = gen.builder.label('memory');
    gen.add({ op: 'munmap', label, offset: moved, length: PAGE });
  }
  if (rng.chance(1, 4)) {
    const limit = rng.of([0n, 12n, 24n]);
    gen.add(testCall(gen.builder.label('limit'), fd, 'SET_TEMP_MEMORY_LIMIT', { limit }));
  }
  for (let count = rng.number(2, 5); count > 0; count -= 1) copyBytes(gen, fd, user, length);
};

const memoryFile = (gen: GenContext, length: bigint): Value => {
  const label: Label = gen.builder.label('file');
  gen.add({ op: 'memfd', label, length });
  return { from: label, out: 'result' };
};

/**
 * A file that is not a memfd, or an offset that is not a whole page; a private map of such a file
 * is not modelled.
 */
const mapInvalidFile = (gen: GenContext, fd: Value): void => {
  const { rng } = gen;
  const number = Number(gen.builder.valueOf(fd));
  const isFile = gen.descriptorsOf('memfd').some((one) => one.fd === number);
  gen.add({
    op: 'mmap',
    label: gen.builder.label('memory'),
    offset: DATA_OFFSET + pagesOf(rng, 0, 9),
    length: PAGE,
    protection: 'read-write',
    shared: isFile || rng.chance(3, 4),
    backing: { kind: 'memfd', fd, offset: typeof fd === 'bigint' ? 0n : rng.of([0n, 2048n]) },
  });
};

const FILE_PAGES = [3n, 4n, 8n, 8n, 20n] as const;

/**
 * A memfd mapped at two addresses, by address and by descriptor: the same pages at several IOVAs.
 */
export const beginFiles = (gen: GenContext): void => {
  const { rng } = gen;
  const file = memoryFile(gen, rng.of(FILE_PAGES) * PAGE + rng.of([0n, 0n, 1n]));
  const offsets = [DATA_OFFSET + pagesOf(rng, 0, 3), SHARED_OFFSET + pagesOf(rng, 0, 3)];
  for (const offset of offsets) {
    gen.add({
      op: 'mmap',
      label: gen.builder.label('memory'),
      offset,
      length: pagesOf(rng, 2, 8),
      protection: 'read-write',
      shared: true,
      backing: { kind: 'memfd', fd: file, offset: pagesOf(rng, 0, 2) },
    });
  }
  const fd = open(gen);
  const ioas = allocate(gen, fd);
  if (rng.chance(1, 4)) mapInvalidFile(gen, rng.of([99n, fd, fd, file]));
  if (rng.chance(2, 3)) follow(gen, fd, ioas);
  const takesFiles = gen.release.has.IOMMU_IOAS_MAP_FILE;
  if (takesFiles) mapFile(gen, fd, ioas, file, LOW);
  if (takesFiles && rng.chance(1, 3)) {
    nativeCall(gen, 'changeProcess', fd, 'IOMMU_IOAS_CHANGE_PROCESS', {});
  }
  for (const [index, offset] of offsets.entries()) {
    if (rng.chance(1, 3)) store(gen, offset + rng.of([0n, 8n]));
    const iova = LOW * BigInt(index + 2);
    mapMemory(gen, fd, ioas, offset + pagesOf(rng, 0, 2), pagesOf(rng, 1, 4), iova);
  }
  if (gen.platform.testCommands && rng.chance(1, 2)) {
    const user = use(gen, fd, ioas);
    for (let count = 2; count > 0; count -= 1) copyBytes(gen, fd, user, 2n * PAGE);
  }
};

/**
 * Huge pages that are mapped for devices; then the program or a type1 v1 unmap tries to cut them.
 */
export const beginHugePages = (gen: GenContext): void => {
  const { rng, builder } = gen;
  const mapOwn = (label: string, offset: bigint, length: bigint, kind: 'anonymous' | 'huge') => {
    const memory = {
      label: builder.label(label),
      offset,
      length,
      protection: 'read-write',
    } as const;
    gen.add({ op: 'mmap', ...memory, shared: false, backing: { kind } });
  };
  mapOwn('huge', HUGE_OFFSET, rng.chance(1, 2) ? HUGE_LENGTH : HUGE_PAGE, 'huge');
  const fd = open(gen);
  const ioas = allocate(gen, fd);
  const follows = rng.chance(1, 2);
  if (follows) follow(gen, fd, ioas);
  const from = rng.of([0n, PAGE, HUGE_PAGE - 2n * PAGE]);
  mapMemory(gen, fd, ioas, HUGE_OFFSET + from, pagesOf(rng, 1, 4), LOW + from);
  for (let count = rng.number(1, 3); count > 0; count -= 1) {
    const start = HUGE_OFFSET + rng.of([0n, PAGE, 2n * PAGE, HUGE_PAGE]);
    const cut = rng.of([PAGE, HUGE_PAGE, HUGE_PAGE - PAGE]);
    if (rng.chance(1, 2)) {
      gen.add({ op: 'munmap', label: builder.label('memory'), offset: start, length: cut });
    } else {
      mapOwn('memory', start, cut, rng.of(['anonymous', 'huge'] as const));
    }
  }
  mapMemory(gen, fd, ioas, HUGE_OFFSET + from, pagesOf(rng, 1, 4), 2n * LOW);
  if (!follows) follow(gen, fd, ioas);
};

/** The accounting mode is set before there are objects. */
export const beginOptions = (gen: GenContext): void => {
  const { rng } = gen;
  const fd = open(gen);
  const option = (op: bigint, value: bigint): void => {
    nativeCall(gen, 'option', fd, 'IOMMU_OPTION', { option_id: 0n, op, val64: value });
  };
  const [SET, GET] = [0n, 1n];
  option(SET, rng.of([0n, 1n, 1n, 2n]));
  if (rng.chance(1, 2)) option(GET, 7n);
  const ioas = allocate(gen, fd);
  if (rng.chance(1, 2)) option(SET, 0n);
  if (rng.chance(1, 2)) option(GET, 7n);
  if (rng.chance(2, 3)) {
    follow(gen, fd, ioas);
    mapMemory(gen, fd, ioas, DATA_OFFSET, pagesOf(rng, 1, 9), LOW);
    return;
  }
  // Without objects, it can be set again.
  nativeCall(gen, 'destroy', fd, 'IOMMU_DESTROY', { id: ioas });
  option(SET, 1n);
  option(GET, 7n);
};
