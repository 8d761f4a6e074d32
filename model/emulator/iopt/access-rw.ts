// SPDX-License-Identifier: MIT
// Reads and writes the memory of an area for an access: through the program's address space, or, on
// the slow path, through the frames that a device would access. drivers/iommu/iommufd/pages.c
// (iopt_pages_rw_access).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { PAGE_SIZE, PAGE_SIZE_BYTES } from '../../../spec/abi/units.ts';
import { wrap } from '../u64.ts';
import { FrameReader } from './frame-reader.ts';
import type { Pages } from './pages.ts';

export type Direction = 'read' | 'write';

/**
 * Copies between `data` and a frame, starting `offset` bytes into it. Returns the count of bytes.
 */
const copyFrame = (
  pages: Pages,
  frame: number,
  offset: number,
  data: Uint8Array,
  direction: Direction,
): number => {
  const { frames } = pages.kernel;
  const count = Math.min(data.length, PAGE_SIZE - offset);
  if (direction === 'write') {
    frames.writable(frame).set(data.subarray(0, count), offset);
  } else {
    const contents = frames.contents(frame);
    if (contents === undefined) data.fill(0, 0, count);
    else data.set(contents.subarray(offset, offset + count));
  }
  return count;
};

const copySlowly = (
  pages: Pages,
  startByte: bigint,
  data: Uint8Array,
  direction: Direction,
): number => {
  const first = Number(startByte / PAGE_SIZE_BYTES);
  const last = Number((startByte + BigInt(data.length) - 1n) / PAGE_SIZE_BYTES);
  const reader = new FrameReader(pages, first, last);
  let offset = Number(startByte % PAGE_SIZE_BYTES);
  let done = 0;
  let copied = 0;
  let error = 0;
  while (error === 0 && !reader.done) {
    error = reader.next();
    for (; error === 0 && copied < reader.ready; copied += 1) {
      const frame = reader.frames[copied] as number;
      done += copyFrame(pages, frame, offset, data.subarray(done), direction);
      offset = 0;
    }
  }
  reader.release();
  return error;
};

const copyOnePage = (
  pages: Pages,
  page: number,
  offset: number,
  data: Uint8Array,
  direction: Direction,
): number => {
  const { pinner, frames } = pages.kernel;
  const pinned: number[] = [];
  if (pinner.pin(page, 1, direction === 'write', pinned) !== 1) return -ERRNO.EFAULT;
  const [frame] = pinned as [number];
  copyFrame(pages, frame, offset, data, direction);
  frames.unpin(frame);
  return 0;
};

/**
 * Copies between `data` and the pages, starting at `startByte`. 0, or -errno. `slow` forces the
 * slow path.
 */
export const accessPages = (
  pages: Pages,
  startByte: bigint,
  data: Uint8Array,
  direction: Direction,
  slow: boolean,
): number => {
  if (direction === 'write' && !pages.writable) return -ERRNO.EPERM;
  const { source, kernel } = pages;
  if (source.kind === 'file') return copySlowly(pages, startByte, data, direction);
  if (slow) {
    const offset = Number(startByte % PAGE_SIZE_BYTES);
    if (offset + data.length > PAGE_SIZE) return copySlowly(pages, startByte, data, direction);
    const page = source.page + Number(startByte / PAGE_SIZE_BYTES);
    return copyOnePage(pages, page, offset, data, direction);
  }
  const address = wrap(source.address + startByte);
  if (!kernel.user.rangeIsUser(address, data.length)) return -ERRNO.EFAULT;
  const copied =
    direction === 'write'
      ? kernel.user.write(address, data)
      : kernel.user.readInto(data, address) === data.length;
  return copied ? 0 : -ERRNO.EFAULT;
};
