// What takes many calls to come to in one iommufd, drawn: holes of many widths between areas, what fails when half of it
// is done, copies the slow way, files that are mapped twice, huge pages that are cut.

import { MOCK_ACCESS_RW_SLOW_PATH, MOCK_ACCESS_RW_WRITE } from '../../../spec/abi/test.ts';
import {
  ARRAY_OFFSET,
  DATA_OFFSET,
  HUGE_LENGTH,
  HUGE_OFFSET,
  HUGE_PAGE,
  NO_ACCESS_OFFSET,
  READ_ONLY_OFFSET,
  SHARED_OFFSET,
} from '../arena.ts';
import type { Label, Value } from '../program.ts';
import { testCall } from '../table-probes.ts';
import type { Dice } from '../values.ts';
import { drawBoundAndAttached, drawOpenDevice, hasDeviceFiles } from './device.ts';
import { allocate, attach, open, use } from './first-calls.ts';
import { nativeCall } from './native-call.ts';
import type { Scene } from './scene.ts';

const PAGE = 4096n;
const LOW = 0x100_0000n;
const WRITABLE = 6n;
const FIXED = 7n;

const pagesOf = (dice: Dice, least: number, most: number): bigint =>
  BigInt(dice.number(least, most)) * PAGE;

/** Maps memory of the arena at an IOVA, or where the kernel chooses. */
export const mapMemory = (
  scene: Scene,
  fd: Value,
  ioas: Value,
  arena: bigint,
  length: bigint,
  iova?: bigint,
): void => {
  const flags = iova === undefined ? WRITABLE : FIXED;
  const place = iova === undefined ? {} : { iova };
  const fields = { flags, ioas_id: ioas, user_va: { arena }, length, ...place };
  nativeCall(scene, 'map', fd, 'IOMMU_IOAS_MAP', fields);
};

const mapFile = (scene: Scene, fd: Value, ioas: Value, file: Value, iova: bigint): void => {
  const { dice } = scene;
  const [start, length] = [pagesOf(dice, 0, 3), pagesOf(dice, 1, 4)];
  const fields = { flags: FIXED, ioas_id: ioas, fd: file, start, length, iova };
  nativeCall(scene, 'mapFile', fd, 'IOMMU_IOAS_MAP_FILE', fields);
};

const remap = (scene: Scene, offset: bigint, length: bigint): void =>
  scene.add({
    op: 'mmap',
    label: scene.draft.label('memory'),
    offset,
    length,
    protection: 'read-write',
    shared: false,
    backing: { kind: 'anonymous' },
  });

/** Bytes of the program's own, so that memory is not all zero. */
const store = (scene: Scene, offset: bigint): void =>
  scene.add({
    op: 'store',
    label: scene.draft.label('memory'),
    offset,
    hex: scene.dice.u64().toString(16).padStart(16, '0'),
  });

/** Somebody has what the table maps for a device: a mock device, or one of the platform's where there is none. */
const follow = (scene: Scene, fd: Value, ioas: Value): void => {
  if (scene.platform.mockDevices) {
    attach(scene, fd, ioas);
    return;
  }
  if (!hasDeviceFiles(scene)) return;
  drawOpenDevice(scene);
  const cdev = scene.descriptorsOf('cdev').at(-1);
  if (cdev !== undefined) drawBoundAndAttached(scene, cdev, fd, ioas);
};

type Stretch = { readonly iova: bigint; readonly length: bigint };

/** Ranges that touch, so that what is chosen may lie in two of them. */
const allowTwo = (scene: Scene, fd: Value, ioas: Value, end: bigint): void => {
  const middle = pagesOf(scene.dice, 2, 12);
  const gap = scene.dice.of([0n, 0n, 1n, PAGE]);
  const words = [PAGE, middle - 1n, middle + gap, end - 1n];
  const fields = { ioas_id: ioas, num_iovas: 2n, allowed_iovas: { arena: ARRAY_OFFSET } };
  nativeCall(scene, 'allow', fd, 'IOMMU_IOAS_ALLOW_IOVAS', fields, [
    { at: { arena: ARRAY_OFFSET }, words },
  ]);
};

/** Reserves a byte or a page at an end of an area, or beside it. */
const reserveBeside = (scene: Scene, fd: Value, ioas: Value, { iova, length }: Stretch): void => {
  if (!scene.platform.testCommands) return;
  const { dice } = scene;
  const start = dice.of([
    iova - 1n,
    iova,
    iova + length - 1n,
    ...new Array<bigint>(4).fill(iova + length),
  ]);
  const fields = { id: ioas, start, length: dice.of([1n, 1n, PAGE]) };
  scene.add(testCall(scene.draft.label('reserve'), fd, 'ADD_RESERVED', fields));
};

/** Areas from the first page on, with holes of many widths, and then places that the kernel chooses. */
export const beginHoles = (scene: Scene): void => {
  const { dice } = scene;
  const fd = open(scene);
  const ioas = allocate(scene, fd);
  const areas: Stretch[] = [];
  let at = pagesOf(dice, 1, 3);
  for (let count = dice.number(3, 9); count > 0; count -= 1) {
    const length = pagesOf(dice, 1, 3);
    areas.push({ iova: at, length });
    at += length + dice.of([0n, 1n, 1n, 2n, 3n, 5n, 8n]) * PAGE;
  }
  const left = [...areas];
  while (left.length > 0) {
    const [area] = left.splice(dice.number(0, left.length - 1), 1);
    if (area !== undefined) mapMemory(scene, fd, ioas, DATA_OFFSET, area.length, area.iova);
  }
  if (dice.chance(1, 3)) allowTwo(scene, fd, ioas, at + pagesOf(dice, 0, 4));
  for (let count = dice.of([0, 0, 1, 3]); count > 0; count -= 1) {
    reserveBeside(scene, fd, ioas, dice.of(areas));
  }
  if (dice.chance(1, 2)) {
    const { iova, length } = dice.of(areas);
    nativeCall(scene, 'unmap', fd, 'IOMMU_IOAS_UNMAP', { ioas_id: ioas, iova, length });
  }
  for (let count = dice.number(2, 6); count > 0; count -= 1) {
    const length = pagesOf(dice, 1, dice.chance(1, 3) ? 8 : 3) - dice.of([0n, 0n, 0n, 1n, 2048n]);
    const from = DATA_OFFSET + pagesOf(dice, 0, 20) + dice.of([0n, 0n, 0n, 2048n]);
    mapMemory(scene, fd, ioas, from, length);
  }
};

/** Memory that cannot be pinned to be written to. */
const BAD_PLACES = [NO_ACCESS_OFFSET, NO_ACCESS_OFFSET, READ_ONLY_OFFSET, HUGE_OFFSET] as const;

/** Areas one behind the other, one of which cannot be pinned, or is too much: nothing of them is left. */
export const beginHalfway = (scene: Scene): void => {
  const { dice } = scene;
  const fd = open(scene);
  const [source, target] = [allocate(scene, fd), allocate(scene, fd)];
  const hasTwo = dice.chance(1, 2);
  follow(scene, fd, target);
  if (hasTwo) follow(scene, fd, target);
  if (dice.chance(1, 4)) mapMemory(scene, fd, target, DATA_OFFSET, pagesOf(dice, 1, 9), 2n * LOW);
  const count = dice.number(2, 4);
  const bad = dice.number(0, count);
  let length = 0n;
  for (let index = 0; index < count; index += 1) {
    const own = pagesOf(dice, 1, dice.chance(1, 3) ? 9 : 3);
    const from = index === bad ? dice.of(BAD_PLACES) : DATA_OFFSET + pagesOf(dice, 0, 40);
    mapMemory(scene, fd, source, from, own, LOW + length);
    length += own;
  }
  const copy = (iova: bigint): void => {
    const fields = { dst_ioas_id: target, src_ioas_id: source, length };
    const places = { dst_iova: iova, src_iova: LOW };
    nativeCall(scene, 'copy', fd, 'IOMMU_IOAS_COPY', { flags: FIXED, ...fields, ...places });
  };
  copy(LOW);
  if (dice.chance(1, 2)) follow(scene, fd, source);
  if (dice.chance(1, 2)) {
    remap(scene, NO_ACCESS_OFFSET, 4n * PAGE);
    copy(LOW);
    if (dice.chance(1, 2)) copy(4n * LOW);
    if (dice.chance(1, 2)) follow(scene, fd, source);
  }
};

/** Bytes of a copy: within a page, over its end, over a whole page. */
const COPIED = [8, 16, 64, 0x1010] as const;

const copyBytes = (scene: Scene, fd: Value, user: Value, length: bigint): void => {
  const { dice } = scene;
  const bytes = dice.of(COPIED);
  const edge = pagesOf(dice, 0, Number(length / PAGE)) - dice.of([0n, 0n, 1n, 8n, 16n]);
  const iova = LOW + (edge < 0n ? 0n : edge);
  const slow = dice.chance(4, 5) ? MOCK_ACCESS_RW_SLOW_PATH : 0;
  const flags = BigInt(slow | (dice.chance(1, 2) ? MOCK_ACCESS_RW_WRITE : 0));
  const at = { arena: ARRAY_OFFSET + dice.of([0n, 0n, 2048n]) };
  for (let word = 0n; word < 3n; word += 1n) store(scene, at.arena + word * 8n);
  if (bytes > Number(PAGE)) store(scene, at.arena + PAGE + 8n);
  const fields = { id: user, iova, length: BigInt(bytes), uptr: at, flags };
  scene.add(testCall(scene.draft.label('rw'), fd, 'ACCESS_RW', fields));
};

/** An in-kernel user that copies over the ends of pages, some of which it or a device holds, or that have moved. */
export const beginSlowCopies = (scene: Scene): void => {
  const { dice } = scene;
  const fd = open(scene);
  const ioas = allocate(scene, fd);
  if (dice.chance(1, 2)) attach(scene, fd, ioas);
  const length = pagesOf(dice, 3, 9);
  const isFile = scene.release === '7.3.4' && dice.chance(1, 4);
  const from = DATA_OFFSET + pagesOf(dice, 0, 9) + (isFile ? 0n : dice.of([0n, 0n, 512n]));
  if (isFile) mapFile(scene, fd, ioas, memoryFile(scene, 8n * PAGE), LOW);
  else mapMemory(scene, fd, ioas, from, length, LOW);
  const user = use(scene, fd, ioas);
  for (let count = dice.number(1, 4); count > 0; count -= 1) {
    store(scene, from + pagesOf(dice, 0, 3) + dice.of([0n, 8n, 4088n]));
  }
  if (dice.chance(1, 2)) {
    const iova = LOW + pagesOf(dice, 0, 2);
    const fields = { id: user, iova, length: pagesOf(dice, 1, 2), flags: 0n, uptr: 0n };
    scene.add(testCall(scene.draft.label('pin'), fd, 'ACCESS_PAGES', fields));
  }
  const moved = DATA_OFFSET + pagesOf(dice, 0, 9);
  if (!isFile && dice.chance(1, 2)) remap(scene, moved, 2n * PAGE);
  else if (dice.chance(1, 3)) {
    const label = scene.draft.label('memory');
    scene.add({ op: 'munmap', label, offset: moved, length: PAGE });
  }
  if (dice.chance(1, 4)) {
    const limit = dice.of([0n, 12n, 24n]);
    scene.add(testCall(scene.draft.label('limit'), fd, 'SET_TEMP_MEMORY_LIMIT', { limit }));
  }
  for (let count = dice.number(2, 5); count > 0; count -= 1) copyBytes(scene, fd, user, length);
};

const memoryFile = (scene: Scene, length: bigint): Value => {
  const label: Label = scene.draft.label('file');
  scene.add({ op: 'memfd', label, length });
  return { from: label, out: 'result' };
};

/** What is no file in memory, or is not asked for from a page on; a private map of such a file is not followed. */
const mapOddFile = (scene: Scene, fd: Value): void => {
  const { dice } = scene;
  const number = Number(scene.draft.valueOf(fd));
  const isFile = scene.descriptorsOf('memfd').some((one) => one.fd === number);
  scene.add({
    op: 'mmap',
    label: scene.draft.label('memory'),
    offset: DATA_OFFSET + pagesOf(dice, 0, 9),
    length: PAGE,
    protection: 'read-write',
    shared: isFile || dice.chance(3, 4),
    backing: { kind: 'memfd', fd, offset: typeof fd === 'bigint' ? 0n : dice.of([0n, 2048n]) },
  });
};

const FILE_PAGES = [3n, 4n, 8n, 8n, 20n] as const;

/** A file in memory at two places, and mapped by both and by itself: the same pages under several IOVAs. */
export const beginFiles = (scene: Scene): void => {
  const { dice } = scene;
  const file = memoryFile(scene, dice.of(FILE_PAGES) * PAGE + dice.of([0n, 0n, 1n]));
  const places = [DATA_OFFSET + pagesOf(dice, 0, 3), SHARED_OFFSET + pagesOf(dice, 0, 3)];
  for (const offset of places) {
    scene.add({
      op: 'mmap',
      label: scene.draft.label('memory'),
      offset,
      length: pagesOf(dice, 2, 8),
      protection: 'read-write',
      shared: true,
      backing: { kind: 'memfd', fd: file, offset: pagesOf(dice, 0, 2) },
    });
  }
  const fd = open(scene);
  const ioas = allocate(scene, fd);
  if (dice.chance(1, 4)) mapOddFile(scene, dice.of([99n, fd, fd, file]));
  if (dice.chance(2, 3)) follow(scene, fd, ioas);
  const takesFiles = scene.release === '7.3.4';
  if (takesFiles) mapFile(scene, fd, ioas, file, LOW);
  if (takesFiles && dice.chance(1, 3)) {
    nativeCall(scene, 'changeProcess', fd, 'IOMMU_IOAS_CHANGE_PROCESS', {});
  }
  for (const [index, offset] of places.entries()) {
    if (dice.chance(1, 3)) store(scene, offset + dice.of([0n, 8n]));
    const iova = LOW * BigInt(index + 2);
    mapMemory(scene, fd, ioas, offset + pagesOf(dice, 0, 2), pagesOf(dice, 1, 4), iova);
  }
  if (scene.platform.testCommands && dice.chance(1, 2)) {
    const user = use(scene, fd, ioas);
    for (let count = 2; count > 0; count -= 1) copyBytes(scene, fd, user, 2n * PAGE);
  }
};

/** Huge pages, which are mapped for devices and then cut, or the program tries to. */
export const beginHugePages = (scene: Scene): void => {
  const { dice, draft } = scene;
  const mapOwn = (label: string, offset: bigint, length: bigint, kind: 'anonymous' | 'huge') => {
    const memory = { label: draft.label(label), offset, length, protection: 'read-write' } as const;
    scene.add({ op: 'mmap', ...memory, shared: false, backing: { kind } });
  };
  mapOwn('huge', HUGE_OFFSET, dice.chance(1, 2) ? HUGE_LENGTH : HUGE_PAGE, 'huge');
  const fd = open(scene);
  const ioas = allocate(scene, fd);
  const follows = dice.chance(1, 2);
  if (follows) follow(scene, fd, ioas);
  const from = dice.of([0n, PAGE, HUGE_PAGE - 2n * PAGE]);
  mapMemory(scene, fd, ioas, HUGE_OFFSET + from, pagesOf(dice, 1, 4), LOW + from);
  for (let count = dice.number(1, 3); count > 0; count -= 1) {
    const start = HUGE_OFFSET + dice.of([0n, PAGE, 2n * PAGE, HUGE_PAGE]);
    const cut = dice.of([PAGE, HUGE_PAGE, HUGE_PAGE - PAGE]);
    if (dice.chance(1, 2)) {
      scene.add({ op: 'munmap', label: draft.label('memory'), offset: start, length: cut });
    } else {
      mapOwn('memory', start, cut, dice.of(['anonymous', 'huge'] as const));
    }
  }
  mapMemory(scene, fd, ioas, HUGE_OFFSET + from, pagesOf(dice, 1, 4), 2n * LOW);
  if (!follows) follow(scene, fd, ioas);
};

/** Who is charged is decided before there are objects. */
export const beginOptions = (scene: Scene): void => {
  const { dice } = scene;
  const fd = open(scene);
  const option = (op: bigint, value: bigint): void => {
    nativeCall(scene, 'option', fd, 'IOMMU_OPTION', { option_id: 0n, op, val64: value });
  };
  const [SET, GET] = [0n, 1n];
  option(SET, dice.of([0n, 1n, 1n, 2n]));
  if (dice.chance(1, 2)) option(GET, 7n);
  const ioas = allocate(scene, fd);
  if (dice.chance(1, 2)) option(SET, 0n);
  if (dice.chance(1, 2)) option(GET, 7n);
  if (dice.chance(2, 3)) {
    follow(scene, fd, ioas);
    mapMemory(scene, fd, ioas, DATA_OFFSET, pagesOf(dice, 1, 9), LOW);
    return;
  }
  // Where there are none any more, it can be decided anew.
  nativeCall(scene, 'destroy', fd, 'IOMMU_DESTROY', { id: ioas });
  option(SET, 1n);
  option(GET, 7n);
};
