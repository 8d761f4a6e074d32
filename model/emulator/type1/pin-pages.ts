// SPDX-License-Identifier: MIT
// Pins the memory of a dma in runs that are contiguous. Device memory is neither pinned nor
// charged. drivers/vfio/vfio_iommu_type1.c (vaddr_get_pfns, vfio_pin_pages_remote).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { PAGE_SIZE } from '../../../spec/abi/units.ts';
import type { Kernel } from '../kernel.ts';
import type { Dma } from './dma.ts';

/** Pages that are pinned at once: as many pointers as fit into a page. */
const BATCH = 512;

/** Pinned frames that are not yet part of a run, and the first frame of the latest pinning. */
export type Batch = { frames: number[]; first?: number };

/** Contiguous pages, starting at frame `first`. */
export type Run = { readonly first: number; readonly count: number };

/** A frame of the device memory at a page, or -EFAULT. What is present there can be read, also without access. */
const deviceFrame = (kernel: Kernel, page: number, writes: boolean): number => {
  const mapping = kernel.space.find(page);
  if (mapping === undefined || mapping.store.kind !== 'device') return -ERRNO.EFAULT;
  if (writes && mapping.protection !== 'read-write') return -ERRNO.EFAULT;
  if (kernel.defects.has('type1-bar-not-looked-up')) {
    // The file offset is taken for the frame number: frame 0 belongs to nobody, the others are
    // memory.
    return page === mapping.start ? 0 : -ERRNO.EFAULT;
  }
  return kernel.space.frame(mapping, page) ?? -ERRNO.EFAULT;
};

const refill = (
  kernel: Kernel,
  batch: Batch,
  page: number,
  count: number,
  write: boolean,
): void => {
  const wanted = Math.min(count, BATCH);
  while (batch.frames.length < wanted) {
    const at = page + batch.frames.length;
    if (kernel.pinner.pin(at, 1, write, batch.frames) < 0) break;
  }
  const [first] = batch.frames;
  if (first !== undefined) batch.first = first;
};

const unpinRun = (kernel: Kernel, { first, count }: Run): void => {
  for (let frame = first; frame < first + count; frame += 1) kernel.frames.unpin(frame);
};

const unpinBatch = (kernel: Kernel, batch: Batch): void => {
  for (const frame of batch.frames) kernel.frames.unpin(frame);
  batch.frames = [];
};

/**
 * The next run of at most `count` pages from page number `page`, pinned and charged. -EFAULT if the
 * first page cannot be pinned, -ENOMEM if the charge would exceed the limit; then none of it stays
 * pinned.
 */
export const pinRun = (
  kernel: Kernel,
  dma: Dma,
  batch: Batch,
  page: number,
  count: number,
): Run | number => {
  const write = dma.permission.writable;
  const bypass = kernel.credentials.privileged;
  let first: number | undefined;
  let isDevice = false;
  let done = 0;
  let charge = 0;
  const fail = (error: number): number => {
    const leaks = kernel.defects.has('type1-failed-map-keeps-pins');
    if (first !== undefined && !isDevice && !leaks) unpinRun(kernel, { first, count: done });
    unpinBatch(kernel, batch);
    return error;
  };
  while (done < count) {
    if (batch.frames.length === 0) refill(kernel, batch, page + done, count - done, write);
    const [frame] = batch.frames;
    if (frame === undefined) {
      const device = deviceFrame(kernel, page + done, write);
      if (device < 0) return fail(device);
      first ??= device;
      if (done === 0) isDevice = true;
      if (!isDevice && kernel.defects.has('type1-bar-taken-for-memory')) {
        // The batch's first frame is taken for the BAR's.
        if (batch.first !== undefined) batch.frames = [batch.first];
        break;
      }
      if (!isDevice || device !== first + done) break;
      done += 1;
      continue;
    }
    first ??= frame;
    if (isDevice || frame !== first + done) break;
    if (!bypass && !kernel.accounts.hasRoom(charge + 1)) return fail(-ERRNO.ENOMEM);
    batch.frames.shift();
    charge += 1;
    done += 1;
  }
  const error = kernel.accounts.lock(charge, bypass);
  return error === 0 ? { first: first as number, count: done } : fail(error);
};

/** Undoes pinRun, and unpins what it left in the batch. */
export const unpinAgain = (kernel: Kernel, batch: Batch, run: Run): void => {
  kernel.accounts.unlock(unpinFrames(kernel, run));
  unpinBatch(kernel, batch);
};

/** Unpins the frames that are memory. Returns their count. */
export const unpinFrames = (kernel: Kernel, { first, count }: Run): number => {
  let unpinned = 0;
  for (let frame = first; frame < first + count; frame += 1) {
    if (kernel.frames.isRegister(frame)) continue;
    kernel.frames.unpin(frame);
    unpinned += 1;
  }
  return unpinned;
};

export const pageOf = (address: bigint): number => Number(address / BigInt(PAGE_SIZE));
