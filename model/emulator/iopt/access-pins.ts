// SPDX-License-Identifier: MIT
// Pages that an access has pinned. Accesses may overlap; each page is pinned once.
// drivers/iommu/iommufd/pages.c (iopt_area_add_access, iopt_area_remove_access).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { MachineDied } from '../../machine/machine.ts';
import type { Area } from './area.ts';
import { appendDomainFrames, appendPinnedFrames } from './frame-reader.ts';
import { Interval } from './interval-tree.ts';
import type { Pages, PinnedAccess } from './pages.ts';

/** Drops the pages of [first, last] that no access needs now; unpins those that no domain has. */
const unpinRange = (pages: Pages, first: number, last: number): void => {
  for (let index = first; index <= last; ) {
    const used = pages.accesses.span(index, last);
    if (!used.used) {
      const mapped = pages.domains.span(index, used.last);
      for (let at = index; at <= mapped.last; at += 1) {
        const frame = pages.pinnedFrames.get(at);
        pages.pinnedFrames.delete(at);
        if (!mapped.used && frame !== undefined) pages.unpin(frame);
      }
      index = mapped.last + 1;
    } else {
      index = used.last + 1;
    }
  }
  pages.settle();
};

/**
 * Pins all of [first, last], which nothing has pinned, for accesses. 0, or -errno with nothing
 * changed.
 */
const pinNew = (pages: Pages, first: number, last: number, frames: number[]): number => {
  const from = frames.length;
  for (let index = first; index <= last; ) {
    const count = pages.pinSome(index, last, frames);
    if (count < 0) {
      for (const frame of frames.splice(from)) pages.unpin(frame);
      return count;
    }
    index += count;
  }
  for (let at = from; at < frames.length; at += 1) {
    pages.pinnedFrames.set(first + at - from, frames[at] as number);
  }
  return 0;
};

/** Records the frames of [first, last] that a domain has. Returns the count of pages. */
const pinMapped = (pages: Pages, first: number, last: number, frames: number[]): number => {
  const from = frames.length;
  appendDomainFrames(pages, first, last, frames);
  for (let at = from; at < frames.length; at += 1) {
    pages.pinnedFrames.set(first + at - from, frames[at] as number);
  }
  return frames.length - from;
};

/** Pins [first, last] for accesses and appends the frames. 0, or -errno with nothing changed. */
const pinRange = (pages: Pages, first: number, last: number, frames: number[]): number => {
  let error = 0;
  let index = first;
  while (error === 0 && index <= last) {
    const pinned = pages.accesses.span(index, last);
    if (pinned.used) {
      appendPinnedFrames(pages, index, pinned.last, frames);
      index = pinned.last + 1;
      continue;
    }
    const mapped = pages.domains.span(index, pinned.last);
    if (mapped.used) index += pinMapped(pages, index, mapped.last, frames);
    if (index <= mapped.last) error = pinNew(pages, index, mapped.last, frames);
    if (error === 0) index = mapped.last + 1;
  }
  if (error === 0) error = pages.settle();
  if (error !== 0 && index > first) unpinRange(pages, first, index - 1);
  return error;
};

/** Pins pages [first, last] for an access through this area and appends their frames. 0, or -errno. */
export const addAccess = (
  area: Area,
  first: number,
  last: number,
  write: boolean,
  frames: number[],
): number => {
  const { pages } = area;
  if (write && !pages.writable) return -ERRNO.EPERM;
  const known = pages.accesses.exact(first, last);
  if (known !== undefined) {
    area.accesses += 1;
    known.owner.users += 1;
    appendPinnedFrames(pages, first, last, frames);
    return 0;
  }
  const error = pinRange(pages, first, last, frames);
  if (error !== 0) return error;
  area.accesses += 1;
  pages.accesses.insert(new Interval<PinnedAccess>(first, last, { users: 1 }));
  return 0;
};

/** Undoes addAccess with the same arguments. */
export const removeAccess = (area: Area, first: number, last: number): void => {
  const { pages } = area;
  const access = pages.accesses.exact(first, last);
  if (access === undefined) throw new MachineDied('an access lets go of pages that it did not pin');
  area.accesses -= 1;
  access.owner.users -= 1;
  if (access.owner.users > 0) return;
  pages.accesses.remove(access);
  unpinRange(pages, first, last);
};
