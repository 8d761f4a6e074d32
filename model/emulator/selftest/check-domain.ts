// SPDX-License-Identifier: MIT
// IOMMU_TEST_OP_MD_CHECK_MAP, MD_CHECK_REFS, DEV_CHECK_CACHE and DIRTY: whether a domain translates
// to the program's memory, how often that is pinned, and which pages are dirty.
// drivers/iommu/iommufd/selftest.c.

import { ERRNO } from '../../../spec/abi/errno.ts';
import {
  DEV_CHECK_CACHE,
  DIRTY,
  MD_CHECK_MAP,
  MD_CHECK_REFS,
  MOCK_PAGE_SIZE,
} from '../../../spec/abi/test.ts';
import { PAGE_SIZE, PAGE_SIZE_BYTES, U64_MAX } from '../../../spec/abi/units.ts';
import { type Command, offsetsOf } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import type { Domain } from '../domain.ts';
import { Hwpt } from '../hwpt.ts';
import { IommufdDevice } from '../iommufd-device.ts';
import type { Kernel } from '../kernel.ts';
import { wrap } from '../u64.ts';

const MAP = offsetsOf(MD_CHECK_MAP);
const REFS = offsetsOf(MD_CHECK_REFS);
const CACHE = offsetsOf(DEV_CHECK_CACHE);
const PAGES = offsetsOf(DIRTY);

const MOST_PAGES = 8n * 0x100_0000n;

type Check = { readonly iova: bigint; readonly length: bigint; readonly address: bigint };

const isAligned = ({ defects }: Kernel, { iova, length, address }: Check, unit: bigint): boolean =>
  (iova | length | address) % unit === 0n &&
  (address + length <= U64_MAX || defects.has('checked-address-wraps'));

/** 0, -EINVAL if memory and translation differ, or the error of reading the memory. */
const compare = (kernel: Kernel, domain: Domain, check: Check, unit: bigint): number => {
  for (let done = 0n; done < check.length; done += unit) {
    const address = check.address + done;
    const frame = kernel.pinner.peek(Number(address / PAGE_SIZE_BYTES));
    if (frame < 0) return frame;
    const physical = frame * PAGE_SIZE + Number(address % PAGE_SIZE_BYTES);
    if (domain.table.translate(check.iova + done) !== physical) return -ERRNO.EINVAL;
  }
  return 0;
};

export const checkMap = (context: IommufdContext, command: Command): number => {
  const { kernel, objects } = context;
  const check: Check = {
    iova: command.u64(MAP.iova),
    length: command.u64(MAP.length),
    address: command.u64(MAP.uptr),
  };
  const alignedFirst = !kernel.release.checkMapFindsHwptFirst;
  if (alignedFirst && !isAligned(kernel, check, MOCK_PAGE_SIZE)) return -ERRNO.EINVAL;
  const hwpt = objects.find(command.u32(MAP.id), Hwpt);
  if (hwpt === undefined) return -ERRNO.ENOENT;
  const { domain } = hwpt;
  if (!domain.hardware.mock) return -ERRNO.EINVAL;
  const unit = alignedFirst ? MOCK_PAGE_SIZE : domain.granule;
  if (!isAligned(kernel, check, unit)) return -ERRNO.EINVAL;
  return compare(kernel, domain, check, unit);
};

export const checkRefs = (context: IommufdContext, command: Command): number => {
  const { kernel } = context;
  const { pinner, frames } = kernel;
  const length = command.u64(REFS.length);
  const address = command.u64(REFS.uptr);
  if (!isAligned(kernel, { iova: 0n, length, address }, PAGE_SIZE_BYTES)) return -ERRNO.EINVAL;
  const first = Number(address / PAGE_SIZE_BYTES);
  const end = first + Number(length / PAGE_SIZE_BYTES);
  const wanted = command.u32(REFS.refs);
  for (let page = first; page < end; page += 1) {
    const frame = pinner.peek(page);
    if (frame < 0) return frame;
    if (kernel.space.find(page)?.huge) continue;
    if (frames.pins(frame) !== wanted) return -ERRNO.EIO;
  }
  return 0;
};

export const checkCache = (context: IommufdContext, command: Command): number => {
  const device = context.objects.find(command.u32(CACHE.id), IommufdDevice);
  if (device === undefined) return -ERRNO.ENOENT;
  const cache = device.hardware.mock?.caches[command.u32(CACHE.cache_id)];
  return cache === command.u32(CACHE.cache) ? 0 : -ERRNO.EINVAL;
};

/**
 * The program's bits select the pages that become dirty. 6.12 has no entries that can be dirty; its
 * operation is not emulated.
 */
export const writePages = (context: IommufdContext, command: Command): number => {
  const size = command.u64(PAGES.page_size);
  const length = command.u64(PAGES.length);
  if (size === 0n || length === 0n || command.u64(PAGES.uptr) === 0n) return -ERRNO.EINVAL;
  if (command.u64(PAGES.iova) % size !== 0n || length % size !== 0n) return -ERRNO.EINVAL;
  const isLimited = context.kernel.release.dirtyPagesAreLimited;
  if (isLimited && length / size > MOST_PAGES) return -ERRNO.EOVERFLOW;
  const hwpt = context.objects.find(command.u32(PAGES.id), Hwpt);
  if (hwpt === undefined) return -ERRNO.ENOENT;
  if (!hwpt.domain.hardware.mock || !hwpt.tracking) return -ERRNO.EINVAL;
  if (!context.kernel.release.mockEntriesAreDirty) return -ERRNO.EOPNOTSUPP;
  const pages = Number(length / size);
  const bits = context.kernel.user.read(command.u64(PAGES.uptr), Math.ceil(pages / 8));
  if (bits === undefined) return -ERRNO.EFAULT;
  let count = 0;
  for (let page = 0; page < pages; page += 1) {
    if ((((bits[page >> 3] ?? 0) >> (page & 7)) & 1) === 0) continue;
    hwpt.domain.table.markDirty(wrap(command.u64(PAGES.iova) + BigInt(page) * size));
    count += 1;
  }
  command.setU64(PAGES.out_nr_dirty, BigInt(count));
  return command.respond();
};
