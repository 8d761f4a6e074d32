// SPDX-License-Identifier: MIT
// The test operations on accesses. drivers/iommu/iommufd/selftest.c (iommufd_test_create_access and
// the functions after it).

import { ERRNO } from '../../../spec/abi/errno.ts';
import {
  ACCESS_LENGTH_MAX,
  ACCESS_NEEDS_PIN_PAGES,
  ACCESS_PAGES,
  ACCESS_REPLACE_IOAS,
  ACCESS_RW,
  CREATE_ACCESS,
  DESTROY_ACCESS_PAGES,
  MOCK_ACCESS_RW_SLOW_PATH,
  MOCK_ACCESS_RW_WRITE,
  MOCK_FLAGS_ACCESS_SYZ,
  MOCK_FLAGS_ACCESS_WRITE,
} from '../../../spec/abi/test.ts';
import { PAGE_SIZE_BYTES } from '../../../spec/abi/units.ts';
import { type Command, offsetsOf } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import type { Kernel } from '../kernel.ts';
import { wrap } from '../u64.ts';
import { iovaOfNthArea } from './nth-area.ts';
import { TestAccess } from './test-access.ts';

const CREATE = offsetsOf(CREATE_ACCESS);
const DESTROY = offsetsOf(DESTROY_ACCESS_PAGES);
const PAGES = offsetsOf(ACCESS_PAGES);
const RW = offsetsOf(ACCESS_RW);
const REPLACE = offsetsOf(ACCESS_REPLACE_IOAS);

const PAGES_FLAGS = MOCK_FLAGS_ACCESS_WRITE | MOCK_FLAGS_ACCESS_SYZ;
const RW_FLAGS = MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH | MOCK_FLAGS_ACCESS_SYZ;

/** The access of a descriptor, which a command has in its id field. */
const accessOf = (context: IommufdContext, fd: number): TestAccess | undefined => {
  const file = context.kernel.files.get(fd);
  return file instanceof TestAccess ? file : undefined;
};

const iovaFor = (access: TestAccess, iova: bigint, flags: number): bigint => {
  if ((flags & MOCK_FLAGS_ACCESS_SYZ) === 0) return iova;
  const table = access.access.ioas?.table;
  return table === undefined ? 0n : iovaOfNthArea(table, iova);
};

export const createAccess = (context: IommufdContext, command: Command): number => {
  const flags = command.u32(CREATE.flags);
  if ((flags & ~ACCESS_NEEDS_PIN_PAGES) !== 0) return -ERRNO.EOPNOTSUPP;
  const { files } = context.kernel;
  const fd = files.reserve();
  const file = new TestAccess(context, (flags & ACCESS_NEEDS_PIN_PAGES) !== 0);
  let error = file.access.attach(command.u32(CREATE.id));
  if (error === 0) {
    command.setU32(CREATE.out_access_fd, fd);
    error = command.respond();
  }
  if (error !== 0) {
    files.cancel(fd);
    file.put();
    return error;
  }
  files.install(fd, file);
  return 0;
};

export const replaceIoas = (context: IommufdContext, command: Command): number => {
  const file = accessOf(context, command.u32(REPLACE.id));
  return file === undefined ? -ERRNO.EBADFD : file.access.replace(command.u32(REPLACE.ioas_id));
};

export const destroyPages = (context: IommufdContext, command: Command): number => {
  const file = accessOf(context, command.u32(DESTROY.id));
  return file === undefined ? -ERRNO.EBADFD : file.unpin(command.u32(DESTROY.access_pages_id));
};

/** 0, -EBADE if other frames are at the address, or the error of reading it. */
const compareFrames = (kernel: Kernel, frames: readonly number[], address: bigint): number => {
  const first = address / PAGE_SIZE_BYTES;
  for (let index = 0; index < frames.length; index += 1) {
    const frame = kernel.pinner.peek(Number(wrap((first + BigInt(index)) << 12n) >> 12n));
    if (frame < 0) return frame;
    if (frame !== frames[index]) return -ERRNO.EBADE;
  }
  return 0;
};

export const pinPages = (context: IommufdContext, command: Command): number => {
  const { kernel } = context;
  const length = command.u64(PAGES.length);
  if (length > ACCESS_LENGTH_MAX) return -ERRNO.ENOMEM;
  const flags = command.u32(PAGES.flags);
  if ((flags & ~PAGES_FLAGS) !== 0) return -ERRNO.EOPNOTSUPP;
  const file = accessOf(context, command.u32(PAGES.id));
  if (file === undefined) return -ERRNO.EBADFD;
  if (!file.pinsPages) return -ERRNO.EOPNOTSUPP;
  const iova = iovaFor(file, command.u64(PAGES.iova), flags);
  const frames: number[] = [];
  const write = (flags & MOCK_FLAGS_ACCESS_WRITE) !== 0;
  let error = file.access.pin(iova, length, write, frames);
  if (error !== 0) return error;
  const address = command.u64(PAGES.uptr);
  if (address !== 0n)
    error = compareFrames(kernel, frames, wrap(address - (iova % PAGE_SIZE_BYTES)));
  const id = error === 0 ? file.remember(iova, length) : 0;
  if (error === 0) {
    command.setU32(PAGES.out_access_pages_id, id);
    error = command.respond();
    if (error !== 0) file.dropKnown(id);
  }
  if (error !== 0) file.access.unpin(iova, length);
  return error;
};

export const readOrWrite = (context: IommufdContext, command: Command): number => {
  const { user } = context.kernel;
  const length = command.u64(RW.length);
  if (length > ACCESS_LENGTH_MAX) return -ERRNO.ENOMEM;
  const flags = command.u32(RW.flags);
  if ((flags & ~RW_FLAGS) !== 0) return -ERRNO.EOPNOTSUPP;
  const file = accessOf(context, command.u32(RW.id));
  if (file === undefined) return -ERRNO.EBADFD;
  const address = command.u64(RW.uptr);
  const data = new Uint8Array(Number(length));
  const writes = (flags & MOCK_ACCESS_RW_WRITE) !== 0;
  const reachable = user.rangeIsUser(address, data.length);
  if (writes && data.length > 0) {
    if (!reachable || user.readInto(data, address) !== data.length) return -ERRNO.EFAULT;
  }
  const iova = iovaFor(file, command.u64(RW.iova), flags);
  const slow = (flags & MOCK_ACCESS_RW_SLOW_PATH) !== 0;
  const error = file.access.copy(iova, data, writes ? 'write' : 'read', slow);
  if (error !== 0 || writes) return error;
  return reachable && user.write(address, data) ? 0 : -ERRNO.EFAULT;
};
