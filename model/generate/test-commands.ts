// SPDX-License-Identifier: MIT
// Generates test commands: mock devices, accesses, and probes of hidden state.

import { TEST_OPERATIONS, type TestOperationName } from '../../spec/abi/test.ts';
import { type ObjectId, PAGE_SIZE_BYTES } from '../../spec/abi/units.ts';
import { mappingAt } from '../../spec/state/address-space.ts';
import { areaAt, byteOf } from '../../spec/state/area.ts';
import { accessAt, type Context, hwptAt, pagesAt } from '../../spec/state/context.ts';
import type { IoPagetable } from '../../spec/state/io-pagetable.ts';
import { spaceOf } from '../../spec/state/memory.ts';
import { contextOf } from '../../spec/state/world.ts';
import { ARENA_BASE, DATA_OFFSET } from '../programs/arena.ts';
import type { ArenaOffset, Argument, Value } from '../programs/program.ts';
import { PROCESS } from '../programs/run.ts';
import type { AccessDescriptor, GenContext, IommufdDescriptor } from './gen-context.ts';
import type { Rng } from './rng.ts';
import {
  generateAreaRange,
  generateArrayAddress,
  generateIova,
  generateLength,
  generateUserAddress,
  wrap,
} from './values.ts';

const TEST_COMMAND = 0x3ba0;
const PAGE = PAGE_SIZE_BYTES;
const MANY_PAGES = 1024n * PAGE;
const numbers = new Map(TEST_OPERATIONS.map(({ name, op }) => [name, op]));

export const send = (
  gen: GenContext,
  { value }: IommufdDescriptor,
  stem: string,
  name: TestOperationName,
  fields: Readonly<Record<string, Value>>,
  also?: Extract<Argument, { kind: 'struct' }>['also'],
): void => {
  const whole = { size: 72n, op: BigInt(numbers.get(name) as number), ...fields };
  gen.call(stem, value, { command: TEST_COMMAND, layout: name, size: 72 }, whole, also);
};

export const generateMockDomain = (gen: GenContext, on: IommufdDescriptor): void => {
  const { rng } = gen;
  const target = rng.chance(9, 10)
    ? gen.object(on.context, 'ioas')
    : gen.object(on.context, 'hwpt');
  if (rng.chance(2, 3)) {
    send(gen, on, 'mock', 'MOCK_DOMAIN', { id: target });
  } else {
    const dev_flags = BigInt(rng.of([0, 1, 1, 2, 3, 4, 5, 8]));
    send(gen, on, 'mock', 'MOCK_DOMAIN_FLAGS', { id: target, dev_flags });
  }
};

export const generateMockReplace = (gen: GenContext, on: IommufdDescriptor): void => {
  const kind = gen.rng.of(['ioas', 'ioas', 'hwpt', 'hwpt', 'device'] as const);
  send(gen, on, 'replace', 'MOCK_DOMAIN_REPLACE', {
    id: gen.object(on.context, 'selftest'),
    pt_id: gen.object(on.context, kind),
  });
};

export const generateAddReserved = (gen: GenContext, on: IommufdDescriptor): void => {
  const ioas = gen.object(on.context, 'ioas');
  send(gen, on, 'reserve', 'ADD_RESERVED', {
    id: ioas,
    start: generateIova(gen.rng, gen.table(on.context, ioas)),
    length: generateLength(gen.rng),
  });
};

/** The program's memory that a hwpt translates an IOVA to, if it is in the arena. */
export const memoryAt = (
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

export const generateCheckMap = (gen: GenContext, on: IommufdDescriptor): void => {
  const { rng } = gen;
  const hwpt = gen.object(on.context, 'hwpt');
  const owner = hwptAt(on.context, Number(gen.builder.valueOf(hwpt)) as ObjectId);
  const table = owner === undefined ? undefined : gen.table(on.context, BigInt(owner.ioas));
  const range = table === undefined ? undefined : generateAreaRange(rng, table);
  const iova = range?.iova ?? generateIova(rng, table);
  const uptr = memoryAt(on.context, table, iova) ?? generateUserAddress(rng);
  send(gen, on, 'checkMap', 'MD_CHECK_MAP', {
    id: hwpt,
    iova,
    length: range?.length ?? generateLength(rng),
    uptr: rng.chance(1, 10) ? generateUserAddress(rng) : uptr,
  });
};

export const generateCheckRefs = (gen: GenContext, on: IommufdDescriptor): void => {
  const { rng } = gen;
  send(gen, on, 'checkRefs', 'MD_CHECK_REFS', {
    length: BigInt(rng.number(0, 3)) * 4096n + (rng.chance(1, 20) ? 1n : 0n),
    uptr: rng.chance(1, 8)
      ? rng.chance(1, 4)
        ? wrap(-BigInt(rng.number(1, 3)) * 4096n)
        : generateUserAddress(rng)
      : { arena: DATA_OFFSET + BigInt(rng.number(0, 60)) * 4096n },
    refs: BigInt(rng.of([0, 0, 1, 1, 2])),
  });
};

export const generateCreateAccess = (gen: GenContext, on: IommufdDescriptor): void =>
  send(gen, on, 'access', 'CREATE_ACCESS', {
    id: gen.object(on.context, 'ioas'),
    flags: BigInt(gen.rng.of([0, 1, 1, 1, 1, 1, 1, 2])),
  });

const tableOf = (gen: GenContext, { file }: AccessDescriptor): IoPagetable | undefined => {
  const context = contextOf(gen.builder.world, file.iommufd);
  const ioas = accessAt(context, file.object)?.ioas;
  return ioas === undefined ? undefined : gen.table(context, BigInt(ioas));
};

const rangeOf = (gen: GenContext, access: AccessDescriptor) => {
  const { rng } = gen;
  const table = tableOf(gen, access);
  const range = table === undefined ? undefined : generateAreaRange(rng, table);
  return {
    iova: range?.iova ?? generateIova(rng, table),
    length: range?.length ?? generateLength(rng),
  };
};

/** iova has the number of an area, from 0 in the low half, and an offset into the area. */
const BY_NUMBER = 0x1_0000n;

const numberOfArea = (rng: Rng): bigint =>
  BigInt(rng.of([0, 0, 0, 1, 2])) | (rng.of([0n, 0n, 0n, 1n, 4096n]) << 32n);

const accessFd = (gen: GenContext, access: AccessDescriptor): Value =>
  gen.rng.chance(1, 40) ? gen.rng.of([88n, 0xffff_ffffn, 3n]) : access.value;

export const generateAccessPages = (
  gen: GenContext,
  on: IommufdDescriptor,
  access: AccessDescriptor,
): void => {
  const { rng } = gen;
  const { iova, length } = rangeOf(gen, access);
  // With a part, a domain alone pins the other pages.
  const part = length > 4096n && rng.chance(1, 2) ? 4096n : length;
  const flags = rng.chance(1, 15) ? rng.of([2n, BY_NUMBER, BY_NUMBER]) : rng.of([0n, 0n, 1n]);
  // The address of the memory: the pinned pages are compared with it.
  const context = contextOf(gen.builder.world, access.file.iommufd);
  const memory = memoryAt(context, tableOf(gen, access), iova);
  send(gen, on, 'pin', 'ACCESS_PAGES', {
    id: accessFd(gen, access),
    iova: flags === BY_NUMBER ? numberOfArea(rng) : iova,
    length: part,
    flags,
    uptr: rng.chance(1, 2) ? 0n : rng.chance(3, 4) && memory ? memory : generateUserAddress(rng),
  });
};

export const generateUnpin = (
  gen: GenContext,
  on: IommufdDescriptor,
  access: AccessDescriptor,
): void => {
  const context = contextOf(gen.builder.world, access.file.iommufd);
  const pins = accessAt(context, access.file.object)?.pins ?? [];
  const [pin] = pins;
  const number = pin === undefined || gen.rng.chance(1, 6) ? gen.rng.number(0, 3) : pin.id;
  send(gen, on, 'unpin', 'DESTROY_ACCESS_PAGES', {
    id: accessFd(gen, access),
    access_pages_id: BigInt(number),
  });
};

/** Offset of a read in a range: its start, its end, or just before a page boundary. */
const generateOffsetWithin = (rng: Rng, length: bigint): bigint => {
  if (rng.chance(1, 2)) return 0n;
  if (length > PAGE && length < MANY_PAGES && rng.chance(1, 2)) {
    const pages = Number((length - 1n) / PAGE);
    return BigInt(rng.number(1, pages)) * PAGE - BigInt(rng.number(1, 63));
  }
  return length > 64n ? length - BigInt(rng.number(1, 64)) : 1n;
};

export const generateAccessRw = (
  gen: GenContext,
  on: IommufdDescriptor,
  access: AccessDescriptor,
): void => {
  const { rng } = gen;
  const { iova, length } = rangeOf(gen, access);
  const bytes = rng.of([1, 8, 16, 64]);
  const from = generateOffsetWithin(rng, length);
  const at = generateArrayAddress(rng, bytes);
  const start = wrap(iova + from);
  const context = contextOf(gen.builder.world, access.file.iommufd);
  const memory = memoryAt(context, tableOf(gen, access), start);
  if (memory !== undefined && rng.chance(1, 2)) storeAt(gen, memory.arena);
  const flags = rng.chance(1, 15)
    ? rng.of([2n, 8n, BY_NUMBER, BY_NUMBER])
    : rng.of([0n, 0n, 1n, 1n, 4n, 5n]);
  const fields = {
    id: accessFd(gen, access),
    iova: flags === BY_NUMBER ? numberOfArea(rng) : start,
    length: rng.chance(1, 15) ? rng.of([0n, length, 0x100_0001n]) : BigInt(bytes),
    uptr: at,
  };
  const readWrite = (flags: bigint): void => {
    const words = Array.from({ length: (bytes + 7) >> 3 }, () => rng.u64());
    send(gen, on, 'rw', 'ACCESS_RW', { ...fields, flags }, [{ at, words }]);
  };
  readWrite(flags);
  // Written bytes are read back, also by the other path.
  if (flags !== BY_NUMBER && rng.chance(1, 3)) readWrite(rng.of([0n, 4n]));
};

/** Stores bytes, so that memory is not all zero; read-only huge pages are never allocated. */
const storeAt = (gen: GenContext, offset: bigint): void => {
  const space = spaceOf(gen.builder.world.memory, PROCESS);
  const mapping = mappingAt(space, ARENA_BASE + offset)?.mapping;
  if (mapping?.huge === true && mapping.protection !== 'read-write') return;
  const words = [gen.rng.u64(), gen.rng.u64()];
  const hex = words.map((word) => word.toString(16).padStart(16, '0')).join('');
  gen.add({ op: 'store', label: gen.builder.label('memory'), offset, hex });
};

export const generateAccessReplace = (
  gen: GenContext,
  on: IommufdDescriptor,
  access: AccessDescriptor,
): void => {
  const { rng } = gen;
  const context = contextOf(gen.builder.world, access.file.iommufd);
  const own = accessAt(context, access.file.object)?.ioas;
  const others = gen.objectIds(on.context, 'ioas').filter((id) => id !== own);
  const moves = others.length > 0 && rng.chance(3, 4);
  send(gen, on, 'moveAccess', 'ACCESS_REPLACE_IOAS', {
    id: accessFd(gen, access),
    ioas_id: moves ? gen.named(on.context, rng.of(others)) : gen.object(on.context, 'ioas'),
  });
};

export const generateSmallTest = (gen: GenContext, on: IommufdDescriptor): void => {
  const { rng } = gen;
  if (rng.chance(1, 2)) {
    const limit = BigInt(rng.of([0, 11, 12, 4096, 65536]));
    send(gen, on, 'limit', 'SET_TEMP_MEMORY_LIMIT', { limit });
  } else {
    send(gen, on, 'cache', 'DEV_CHECK_CACHE', {
      id: gen.object(on.context, 'device'),
      cache_id: BigInt(rng.number(0, 4)),
      cache: rng.of([0xbaddadn, 0xbaddadn, 0n]),
    });
  }
};
