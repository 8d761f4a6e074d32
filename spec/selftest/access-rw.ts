// SPDX-License-Identifier: MIT
// ACCESS_RW: an access reads or writes memory by IOVA. iommufd_access_rw() in drivers/iommu/iommufd/device.c and
// iopt_pages_rw_access() in pages.c. In the process that mapped the memory, the kernel copies through the program's
// addresses and ignores pins. On the slow path, and for files, it uses the pinned pages.

import { decode } from '../abi/layout.ts';
import {
  ACCESS_LENGTH_MAX,
  ACCESS_RW,
  MOCK_ACCESS_RW_SLOW_PATH,
  MOCK_ACCESS_RW_WRITE,
  MOCK_FLAGS_ACCESS_SYZ,
} from '../abi/test.ts';
import {
  fileDescriptor,
  PAGE_SIZE,
  PAGE_SIZE_BYTES,
  pageIndex,
  userAddress,
} from '../abi/units.ts';
import type { Handler, Request } from '../iommufd/request.ts';
import { nthAreaIova } from '../iommufd/syzkaller.ts';
import { accessesRules, permits, rangeOfAccess, slicesOf } from '../iopt/access.ts';
import { load, write } from '../knowledge/user-copy.ts';
import { contentsOf, stored, storedAt } from '../memory/contents.ts';
import { pagesToPin, pinningRules } from '../memory/pin.ts';
import { failed, failedBy, type Outcome, type Reply, succeeded } from '../outcome/outcome.ts';
import { byteOf } from '../state/area.ts';
import { pagesAt, tableOf } from '../state/context.ts';
import type { Memory } from '../state/memory.ts';
import { type Pages, runAt } from '../state/pages.ts';
import { stateOf, type World, withMemory } from '../state/world.ts';
import type { Segment } from '../terms/call.ts';
import { grants, isRefused, type Refused, refused, refuses, rulesOf } from '../terms/rule.ts';
import {
  accessOfDescriptor,
  type FoundAccess,
  testAccessDescriptorRules,
} from './access-descriptor.ts';

export const testAccessRwRules = rulesOf(
  {
    id: 'test-access-rw',
    title: 'IOMMU_TEST_CMD ACCESS_RW',
    source: 'iommufd_test_access_rw() in drivers/iommu/iommufd/selftest.c',
  },
  {
    tooLong: refuses('ENOMEM', 'length exceeds 16 MiB.'),
    unknownFlags: refuses('EOPNOTSUPP', 'A flag other than WRITE, SLOW_PATH and SYZ is set.'),
    bufferFault: refuses('EFAULT', 'The buffer cannot be read, or cannot be written.'),
    memoryFault: refuses(
      'EFAULT',
      'The process may not read, or may not write, the mapped memory. What comes before it is copied.',
      'iopt_pages_rw_access() in drivers/iommu/iommufd/pages.c',
    ),
    copies: grants('Copies the bytes between the buffer and the memory that is mapped at iova.'),
  },
);

/** The result of a copy: the bytes that were read, the memory after a write, and why it ended early, if it did. */
type Copied = {
  readonly memory: Memory;
  readonly bytes: Uint8Array;
  readonly refused?: Refused;
};

const NOTHING = new Uint8Array();

const copyRefused = (memory: Memory, why: Refused): Copied => ({
  memory,
  bytes: NOTHING,
  refused: why,
});

type Direction = { readonly kind: 'read' } | { readonly kind: 'write'; readonly bytes: Uint8Array };

/** Copies through the program's addresses, as copy_to_user() and copy_from_user() do. */
const copyByAddress = (
  memory: Memory,
  pages: Pages,
  byte: bigint,
  length: number,
  direction: Direction,
): Copied => {
  const address = pages.source.start + byte;
  if (memory.knowledge === 'recorded') return { memory, bytes: new Uint8Array(length) };
  if (direction.kind === 'write') {
    const { whole, write: done } = write(memory, pages.process, address, direction.bytes);
    const after = storedAt(memory, pages.process, address, done.bytes);
    return whole
      ? { memory: after, bytes: NOTHING }
      : copyRefused(after, refused(testAccessRwRules.memoryFault));
  }
  const loaded = load(memory, { ...NO_CALL, process: pages.process }, address, length);
  return loaded.kind === 'bytes'
    ? { memory, bytes: loaded.bytes }
    : copyRefused(memory, refused(testAccessRwRules.memoryFault));
};

const NO_CALL = {
  kind: 'ioctl',
  process: 0,
  fd: fileDescriptor(0),
  command: 0,
  argument: 0n,
  memory: [],
} as const;

/** The memory of one page of the pages: pinned already, or pinned for this copy. */
const frameOfPage = (
  memory: Memory,
  pages: Pages,
  index: number,
  writing: boolean,
  alone: boolean,
): { readonly backing: number; readonly page: number } | Refused => {
  const pinned = runAt(pages.pinned, pageIndex(index));
  if (pinned !== undefined) {
    return { backing: pinned.run.backing, page: pinned.run.page + (index - pinned.first) };
  }
  if (pages.source.kind === 'file') {
    const page = Number(pages.source.start / PAGE_SIZE_BYTES) + index;
    const end = BigInt(page + 1) * PAGE_SIZE_BYTES;
    return end > pages.source.length
      ? refused(pinningRules.fileTooShort)
      : { backing: pages.source.backing, page };
  }
  const address = pages.source.start + BigInt(index) * PAGE_SIZE_BYTES;
  const spans = pagesToPin(memory, pages.process, address, 1, writing);
  // pin_user_pages_remote(), which pins a single page, does not check the end of the range.
  if (alone && isRefused(spans) && spans.refused === pinningRules.wraps) {
    return refused(pinningRules.notMapped);
  }
  return isRefused(spans) ? spans : (spans[0] as { backing: number; page: number });
};

/** Copies page by page. A pinned page is used even if the program has mapped another one there since. */
const copyByPage = (
  memory: Memory,
  pages: Pages,
  byte: bigint,
  length: number,
  direction: Direction,
  writing: boolean,
  ignorePins: boolean,
): Copied => {
  let after = memory;
  const bytes = new Uint8Array(length);
  const unpinned: Pages = ignorePins ? { ...pages, pinned: undefined } : pages;
  let done = 0;
  while (done < length) {
    const at = byte + BigInt(done);
    const index = Number(at / PAGE_SIZE_BYTES);
    const offset = Number(at % PAGE_SIZE_BYTES);
    const here = Math.min(length - done, PAGE_SIZE - offset);
    const frame = frameOfPage(memory, unpinned, index, writing, ignorePins);
    // Every page is found before the first byte is copied.
    if (isRefused(frame)) return copyRefused(memory, frame);
    const place = BigInt(frame.page) * PAGE_SIZE_BYTES + BigInt(offset);
    if (direction.kind === 'write') {
      after = stored(after, frame.backing, place, direction.bytes.slice(done, done + here));
    } else {
      bytes.set(contentsOf(memory.stores, frame.backing, place, here), done);
    }
    done += here;
  }
  return { memory: after, bytes };
};

const copySlice = (
  memory: Memory,
  pages: Pages,
  byte: bigint,
  length: number,
  direction: Direction,
  slow: boolean,
): Copied => {
  const writing = direction.kind === 'write';
  if (writing && !pages.writable) return copyRefused(memory, refused(accessesRules.readOnlyPages));
  if (memory.knowledge === 'recorded') return { memory, bytes: NOTHING };
  if (pages.source.kind === 'user' && !slow) {
    return copyByAddress(memory, pages, byte, length, direction);
  }
  const onePage = byte / PAGE_SIZE_BYTES === (byte + BigInt(length) - 1n) / PAGE_SIZE_BYTES;
  // A copy within one page of a process uses the page that is mapped now, as if none were pinned.
  return pages.source.kind === 'user' && onePage
    ? copyByPage(memory, pages, byte, length, direction, writing, true)
    : copyByPage(memory, pages, byte, length, direction, pages.writable, false);
};

type Result = { readonly world: World; readonly bytes: Uint8Array; readonly refused?: Refused };

const copyRange = (
  request: Request,
  found: FoundAccess,
  iova: bigint,
  last: bigint,
  ioas: NonNullable<FoundAccess['access']['ioas']>,
  data: Uint8Array | undefined,
  slow: boolean,
): Result => {
  const { world } = request;
  const { context } = stateOf(world, found.iommufd);
  // In a recording, the bytes that are read are not known.
  const bytes =
    world.memory.knowledge === 'recorded' ? NOTHING : new Uint8Array(Number(last - iova) + 1);
  let { memory } = world;
  let reached = false;
  for (const slice of slicesOf(tableOf(context, ioas).areas, iova, last)) {
    const from = Number(slice.iova - iova);
    const length = Number(slice.last - slice.iova) + 1;
    if (!permits(slice.node, data !== undefined)) {
      return {
        world: withMemory(world, memory),
        bytes,
        refused: refused(accessesRules.notPermitted),
      };
    }
    const pages = pagesAt(context, slice.node.value.pages);
    const direction: Direction =
      data === undefined
        ? { kind: 'read' }
        : { kind: 'write', bytes: data.subarray(from, from + length) };
    const foreign = pages.process !== request.call.process;
    const copied = copySlice(
      memory,
      pages,
      byteOf(slice.node, slice.iova),
      length,
      direction,
      slow || foreign,
    );
    memory = copied.memory;
    if (copied.refused !== undefined) {
      return { world: withMemory(world, memory), bytes, refused: copied.refused };
    }
    if (bytes !== NOTHING) bytes.set(copied.bytes, from);
    reached = slice.last === last;
  }
  const after = memory === world.memory ? world : withMemory(world, memory);
  return reached
    ? { world: after, bytes }
    : { world: after, bytes, refused: refused(accessesRules.notMapped) };
};

/** Whether, in a recording, the process that mapped the memory may be gone. */
const mayBeGone = (request: Request, found: FoundAccess, iova: bigint, last: bigint): boolean => {
  const { world } = request;
  if (world.memory.knowledge === 'complete' || found.access.ioas === undefined) return false;
  const { context } = stateOf(world, found.iommufd);
  for (const slice of slicesOf(tableOf(context, found.access.ioas).areas, iova, last)) {
    const pages = pagesAt(context, slice.node.value.pages);
    if (pages.process !== request.call.process && pages.pinned === undefined) return true;
  }
  return false;
};

const GONE = 'the recording does not say whether the process that mapped the memory still lives';

const withDoubt = (reply: Reply, doubtful: boolean, world: World): readonly Outcome[] =>
  doubtful
    ? [
        { ...reply, unknown: GONE },
        { ...failed(testAccessRwRules.memoryFault, world), unknown: GONE },
      ]
    : [reply];

export const accessRw: Handler = (request): readonly Outcome[] => {
  const { world, call } = request;
  const fields = decode(ACCESS_RW, request.bytes);
  const { length, uptr, flags } = fields;
  if (length > ACCESS_LENGTH_MAX) return [failed(testAccessRwRules.tooLong, world)];
  const known = MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH | MOCK_FLAGS_ACCESS_SYZ;
  if ((flags & ~known) !== 0) return [failed(testAccessRwRules.unknownFlags, world)];
  const found = accessOfDescriptor(world, call.process, fileDescriptor(fields.id | 0));
  if (found === undefined) return [failed(testAccessDescriptorRules.notAnAccess, world)];
  let data: Uint8Array | undefined;
  if ((flags & MOCK_ACCESS_RW_WRITE) !== 0) {
    const loaded = load(world.memory, call, uptr, Number(length));
    if (loaded.kind === 'fault') return [failed(testAccessRwRules.bufferFault, world)];
    data = loaded.kind === 'bytes' ? loaded.bytes : new Uint8Array(Number(length));
  }
  const { ioas } = found.access;
  const iova =
    (flags & MOCK_FLAGS_ACCESS_SYZ) !== 0 && ioas !== undefined
      ? nthAreaIova(tableOf(stateOf(world, found.iommufd).context, ioas).areas, fields.iova)
      : fields.iova;
  const range = rangeOfAccess(found.access, iova, length);
  if (isRefused(range)) return [failedBy(range, world)];
  const slow = (flags & MOCK_ACCESS_RW_SLOW_PATH) !== 0;
  const doubtful = mayBeGone(request, found, iova, range.last);
  const copied = copyRange(request, found, iova, range.last, range.ioas, data, slow);
  if (copied.refused !== undefined) return [failedBy(copied.refused, copied.world)];
  if (data !== undefined) {
    return withDoubt(succeeded(testAccessRwRules.copies, copied.world), doubtful, world);
  }
  const answer = write(world.memory, call.process, uptr, copied.bytes);
  if (!answer.whole) return [failed(testAccessRwRules.bufferFault, copied.world, [answer.write])];
  return withDoubt(readReply(world, uptr, length, copied, answer.write), doubtful, world);
};

const readReply = (
  world: World,
  uptr: bigint,
  length: bigint,
  copied: Result,
  done: Segment,
): Reply =>
  world.memory.knowledge === 'complete'
    ? succeeded(testAccessRwRules.copies, copied.world, [done])
    : {
        ...succeeded(testAccessRwRules.copies, copied.world),
        unknownBytes: [{ address: userAddress(uptr), length: Number(length) }],
      };
