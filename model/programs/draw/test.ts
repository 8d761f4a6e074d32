// Test commands, drawn: mock devices, in-kernel users, and looks at hidden state.

import { TEST_OPERATIONS, type TestOperationName } from '../../../spec/abi/test.ts';
import { type ObjectId, PAGE_SIZE_BYTES } from '../../../spec/abi/units.ts';
import { mappingAt } from '../../../spec/state/address-space.ts';
import { areaAt, byteOf } from '../../../spec/state/area.ts';
import { accessAt, type Context, hwptAt, pagesAt } from '../../../spec/state/context.ts';
import type { IoPagetable } from '../../../spec/state/io-pagetable.ts';
import { spaceOf } from '../../../spec/state/memory.ts';
import { contextOf } from '../../../spec/state/world.ts';
import { ARENA_BASE, DATA_OFFSET } from '../arena.ts';
import type { ArenaOffset, Argument, Value } from '../program.ts';
import { PROCESS } from '../run.ts';
import {
  type Dice,
  drawAreaRange,
  drawArrayPlace,
  drawIova,
  drawLength,
  drawUserAddress,
  wrap,
} from '../values.ts';
import type { AccessDescriptor, IommufdDescriptor, Scene } from './scene.ts';

const TEST_COMMAND = 0x3ba0;
const PAGE = PAGE_SIZE_BYTES;
const MANY_PAGES = 1024n * PAGE;
const numbers = new Map(TEST_OPERATIONS.map(({ name, op }) => [name, op]));

export const send = (
  scene: Scene,
  { value }: IommufdDescriptor,
  stem: string,
  name: TestOperationName,
  fields: Readonly<Record<string, Value>>,
  also?: Extract<Argument, { kind: 'struct' }>['also'],
): void => {
  const whole = { size: 72n, op: BigInt(numbers.get(name) as number), ...fields };
  scene.call(stem, value, TEST_COMMAND, name, 72, whole, also);
};

export const drawMockDomain = (scene: Scene, on: IommufdDescriptor): void => {
  const { dice } = scene;
  const target = dice.chance(9, 10)
    ? scene.object(on.context, 'ioas')
    : scene.object(on.context, 'hwpt');
  if (dice.chance(2, 3)) {
    send(scene, on, 'mock', 'MOCK_DOMAIN', { id: target });
  } else {
    const dev_flags = BigInt(dice.of([0, 1, 1, 2, 3, 4, 5, 8]));
    send(scene, on, 'mock', 'MOCK_DOMAIN_FLAGS', { id: target, dev_flags });
  }
};

export const drawMockReplace = (scene: Scene, on: IommufdDescriptor): void => {
  const kind = scene.dice.of(['ioas', 'ioas', 'hwpt', 'hwpt', 'device'] as const);
  send(scene, on, 'replace', 'MOCK_DOMAIN_REPLACE', {
    id: scene.object(on.context, 'selftest'),
    pt_id: scene.object(on.context, kind),
  });
};

export const drawAddReserved = (scene: Scene, on: IommufdDescriptor): void => {
  const ioas = scene.object(on.context, 'ioas');
  send(scene, on, 'reserve', 'ADD_RESERVED', {
    id: ioas,
    start: drawIova(scene.dice, scene.table(on.context, ioas)),
    length: drawLength(scene.dice),
  });
};

/** Where the program has the memory that an hwpt translates at an IOVA, if it mapped it in its arena. */
export const addressBehind = (
  context: Context,
  table: IoPagetable | undefined,
  iova: bigint,
): ArenaOffset | undefined => {
  const node = table === undefined ? undefined : areaAt(table.areas, iova);
  if (node === undefined) return undefined;
  const { source } = pagesAt(context, node.value.pages);
  return source.kind === 'user'
    ? { arena: source.start + byteOf(node, iova) - ARENA_BASE }
    : undefined;
};

export const drawCheckMap = (scene: Scene, on: IommufdDescriptor): void => {
  const { dice } = scene;
  const hwpt = scene.object(on.context, 'hwpt');
  const owner = hwptAt(on.context, Number(scene.draft.valueOf(hwpt)) as ObjectId);
  const table = owner === undefined ? undefined : scene.table(on.context, BigInt(owner.ioas));
  const range = table === undefined ? undefined : drawAreaRange(dice, table);
  const iova = range?.iova ?? drawIova(dice, table);
  const uptr = addressBehind(on.context, table, iova) ?? drawUserAddress(dice);
  send(scene, on, 'checkMap', 'MD_CHECK_MAP', {
    id: hwpt,
    iova,
    length: range?.length ?? drawLength(dice),
    uptr: dice.chance(1, 10) ? drawUserAddress(dice) : uptr,
  });
};

export const drawCheckRefs = (scene: Scene, on: IommufdDescriptor): void => {
  const { dice } = scene;
  send(scene, on, 'checkRefs', 'MD_CHECK_REFS', {
    length: BigInt(dice.number(0, 3)) * 4096n + (dice.chance(1, 20) ? 1n : 0n),
    uptr: dice.chance(1, 8)
      ? dice.chance(1, 4)
        ? wrap(-BigInt(dice.number(1, 3)) * 4096n)
        : drawUserAddress(dice)
      : { arena: DATA_OFFSET + BigInt(dice.number(0, 60)) * 4096n },
    refs: BigInt(dice.of([0, 0, 1, 1, 2])),
  });
};

export const drawCreateAccess = (scene: Scene, on: IommufdDescriptor): void =>
  send(scene, on, 'access', 'CREATE_ACCESS', {
    id: scene.object(on.context, 'ioas'),
    flags: BigInt(scene.dice.of([0, 1, 1, 1, 1, 1, 1, 2])),
  });

const tableOf = (scene: Scene, { file }: AccessDescriptor): IoPagetable | undefined => {
  const context = contextOf(scene.draft.world, file.iommufd);
  const ioas = accessAt(context, file.object)?.ioas;
  return ioas === undefined ? undefined : scene.table(context, BigInt(ioas));
};

const rangeOf = (scene: Scene, access: AccessDescriptor) => {
  const { dice } = scene;
  const table = tableOf(scene, access);
  const range = table === undefined ? undefined : drawAreaRange(dice, table);
  return { iova: range?.iova ?? drawIova(dice, table), length: range?.length ?? drawLength(dice) };
};

/** An IOVA is the number of an area, from 0 in the low half, and an offset into it. */
const BY_NUMBER = 0x1_0000n;

const numberOfArea = (dice: Dice): bigint =>
  BigInt(dice.of([0, 0, 0, 1, 2])) | (dice.of([0n, 0n, 0n, 1n, 4096n]) << 32n);

const accessFd = (scene: Scene, access: AccessDescriptor): Value =>
  scene.dice.chance(1, 40) ? scene.dice.of([88n, 0xffff_ffffn, 3n]) : access.value;

export const drawAccessPages = (
  scene: Scene,
  on: IommufdDescriptor,
  access: AccessDescriptor,
): void => {
  const { dice } = scene;
  const { iova, length } = rangeOf(scene, access);
  // A part leaves pages beside it that only a domain pins.
  const part = length > 4096n && dice.chance(1, 2) ? 4096n : length;
  const flags = dice.chance(1, 15) ? dice.of([2n, BY_NUMBER, BY_NUMBER]) : dice.of([0n, 0n, 1n]);
  // Where the program has that memory: the pages that were pinned are then compared with it.
  const context = contextOf(scene.draft.world, access.file.iommufd);
  const behind = addressBehind(context, tableOf(scene, access), iova);
  send(scene, on, 'pin', 'ACCESS_PAGES', {
    id: accessFd(scene, access),
    iova: flags === BY_NUMBER ? numberOfArea(dice) : iova,
    length: part,
    flags,
    uptr: dice.chance(1, 2) ? 0n : dice.chance(3, 4) && behind ? behind : drawUserAddress(dice),
  });
};

export const drawUnpin = (scene: Scene, on: IommufdDescriptor, access: AccessDescriptor): void => {
  const context = contextOf(scene.draft.world, access.file.iommufd);
  const pins = accessAt(context, access.file.object)?.pins ?? [];
  const [pin] = pins;
  const number = pin === undefined || scene.dice.chance(1, 6) ? scene.dice.number(0, 3) : pin.id;
  send(scene, on, 'unpin', 'DESTROY_ACCESS_PAGES', {
    id: accessFd(scene, access),
    access_pages_id: BigInt(number),
  });
};

/** Bytes from the start of a range to where something is read: its start, its end, or right before another page. */
const drawPlaceWithin = (dice: Dice, length: bigint): bigint => {
  if (dice.chance(1, 2)) return 0n;
  if (length > PAGE && length < MANY_PAGES && dice.chance(1, 2)) {
    const pages = Number((length - 1n) / PAGE);
    return BigInt(dice.number(1, pages)) * PAGE - BigInt(dice.number(1, 63));
  }
  return length > 64n ? length - BigInt(dice.number(1, 64)) : 1n;
};

export const drawAccessRw = (
  scene: Scene,
  on: IommufdDescriptor,
  access: AccessDescriptor,
): void => {
  const { dice } = scene;
  const { iova, length } = rangeOf(scene, access);
  const bytes = dice.of([1, 8, 16, 64]);
  const from = drawPlaceWithin(dice, length);
  const at = drawArrayPlace(dice, bytes);
  const start = wrap(iova + from);
  const context = contextOf(scene.draft.world, access.file.iommufd);
  const behind = addressBehind(context, tableOf(scene, access), start);
  if (behind !== undefined && dice.chance(1, 2)) storeAt(scene, behind.arena);
  const flags = dice.chance(1, 15)
    ? dice.of([2n, 8n, BY_NUMBER, BY_NUMBER])
    : dice.of([0n, 0n, 1n, 1n, 4n, 5n]);
  const fields = {
    id: accessFd(scene, access),
    iova: flags === BY_NUMBER ? numberOfArea(dice) : start,
    length: dice.chance(1, 15) ? dice.of([0n, length, 0x100_0001n]) : BigInt(bytes),
    uptr: at,
  };
  const look = (flags: bigint): void => {
    const words = Array.from({ length: (bytes + 7) >> 3 }, () => dice.u64());
    send(scene, on, 'rw', 'ACCESS_RW', { ...fields, flags }, [{ at, words }]);
  };
  look(flags);
  // What was written is there, also to who comes another way.
  if (flags !== BY_NUMBER && dice.chance(1, 3)) look(dice.of([0n, 4n]));
};

/** Bytes of the program's own, so that memory is not all zero; huge pages that are read only take none from anybody. */
const storeAt = (scene: Scene, offset: bigint): void => {
  const space = spaceOf(scene.draft.world.memory, PROCESS);
  const mapping = mappingAt(space, ARENA_BASE + offset)?.mapping;
  if (mapping?.huge === true && mapping.protection !== 'read-write') return;
  const words = [scene.dice.u64(), scene.dice.u64()];
  const hex = words.map((word) => word.toString(16).padStart(16, '0')).join('');
  scene.add({ op: 'store', label: scene.draft.label('memory'), offset, hex });
};

export const drawAccessReplace = (
  scene: Scene,
  on: IommufdDescriptor,
  access: AccessDescriptor,
): void => {
  const { dice } = scene;
  const context = contextOf(scene.draft.world, access.file.iommufd);
  const own = accessAt(context, access.file.object)?.ioas;
  const others = scene.objectIds(on.context, 'ioas').filter((id) => id !== own);
  const moves = others.length > 0 && dice.chance(3, 4);
  send(scene, on, 'moveAccess', 'ACCESS_REPLACE_IOAS', {
    id: accessFd(scene, access),
    ioas_id: moves ? scene.named(on.context, dice.of(others)) : scene.object(on.context, 'ioas'),
  });
};

export const drawSmallTest = (scene: Scene, on: IommufdDescriptor): void => {
  const { dice } = scene;
  if (dice.chance(1, 2)) {
    const limit = BigInt(dice.of([0, 11, 12, 4096, 65536]));
    send(scene, on, 'limit', 'SET_TEMP_MEMORY_LIMIT', { limit });
  } else {
    send(scene, on, 'cache', 'DEV_CHECK_CACHE', {
      id: scene.object(on.context, 'device'),
      cache_id: BigInt(dice.number(0, 4)),
      cache: dice.of([0xbaddadn, 0xbaddadn, 0n]),
    });
  }
};
