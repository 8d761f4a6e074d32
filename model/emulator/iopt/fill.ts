// SPDX-License-Identifier: MIT
// Fills domains with an area's frames, and takes them out. A frame stays pinned while a domain or
// an access has it. drivers/iommu/iommufd/pages.c (iopt_area_fill_domains and its callers).

import { PAGE_SIZE } from '../../../spec/abi/units.ts';
import type { Domain } from '../domain.ts';
import type { Area } from './area.ts';
import { FrameReader } from './frame-reader.ts';

/** Maps the area's frames into one domain in contiguous runs. 0, or -errno with nothing changed. */
const mapFrames = (
  area: Area,
  domain: Domain,
  frames: readonly number[],
  small: boolean,
): number => {
  const permission = area.pages.kernel.defects.has('read-only-mapped-writable')
    ? { ...area.permission, writable: true }
    : area.permission;
  for (let at = 0; at < frames.length; ) {
    let end = at + 1;
    while (end < frames.length && frames[end] === (frames[end - 1] as number) + 1) end += 1;
    const start = area.iovaOf(area.firstIndex + at);
    const next = end === frames.length ? area.last + 1n : area.iovaOf(area.firstIndex + end);
    const physical = (frames[at] as number) * PAGE_SIZE + (at === 0 ? area.pageOffset : 0);
    const error = domain.map(start, physical, Number(next - start), permission, small);
    if (error !== 0) {
      if (start !== area.start) domain.unmap(area.start, start - area.start);
      return error;
    }
    at = end;
  }
  return 0;
};

const unmapArea = (area: Area, domain: Domain): void => domain.unmap(area.start, area.length);

/** Fills all domains with a new area. 0, or -errno with nothing changed. */
export const fillDomains = (area: Area, domains: readonly Domain[], small: boolean): number => {
  const [storage] = domains;
  if (storage === undefined) return 0;
  const { pages } = area;
  const reader = new FrameReader(pages, area.firstIndex, area.lastIndex);
  let error = reader.all();
  let filled = 0;
  while (error === 0 && filled < domains.length) {
    error = mapFrames(area, domains[filled] as Domain, reader.frames, small);
    if (error === 0) filled += 1;
  }
  if (error === 0) error = pages.settle();
  if (error !== 0) {
    for (const domain of domains.slice(0, filled)) unmapArea(area, domain);
    reader.releaseFailed();
    return error;
  }
  area.storage = storage;
  pages.domains.insert(area.slice);
  return 0;
};

/** Fills a new domain with an area. 0, or -errno with nothing changed. */
export const fillDomain = (area: Area, domain: Domain, small: boolean): number => {
  const { pages } = area;
  const reader = new FrameReader(pages, area.firstIndex, area.lastIndex);
  let error = reader.all();
  if (error === 0) error = mapFrames(area, domain, reader.frames, small);
  if (error === 0) {
    error = pages.settle();
    if (error !== 0) unmapArea(area, domain);
  }
  if (error !== 0) {
    reader.releaseFailed();
    return error;
  }
  if (area.storage === undefined) {
    area.storage = domain;
    pages.domains.insert(area.slice);
  }
  return 0;
};

/** Frames that only this domain has. The area's slice is not in the pages' domains. */
const framesOfOnly = (area: Area, domain: Domain): number[] => {
  const { pages } = area;
  const only: number[] = [];
  const unpinsNothing =
    pages.kernel.defects.has('pages-not-unpinned-with-access') &&
    pages.accesses.first(area.firstIndex, area.lastIndex) !== undefined;
  if (unpinsNothing) return only;
  for (let index = area.firstIndex; index <= area.lastIndex; ) {
    const elsewhere = pages.domains.span(index, area.lastIndex);
    const span = elsewhere.used ? elsewhere : pages.accesses.span(index, elsewhere.last);
    if (!span.used) {
      for (let at = index; at <= span.last; at += 1) {
        const frame = domain.frame(area.iovaOf(at));
        if (frame !== undefined) only.push(frame);
      }
    }
    index = span.last + 1;
  }
  return only;
};

/** Takes the area out of its storage domain, and unpins the frames that nothing else has. */
export const unfillStorage = (area: Area): void => {
  const { pages, storage } = area;
  if (storage === undefined) return;
  pages.domains.remove(area.slice);
  area.storage = undefined;
  const frames = framesOfOnly(area, storage);
  unmapArea(area, storage);
  for (const frame of frames) pages.unpin(frame);
  pages.settle();
};

/** Takes the area out of every domain. */
export const unfillDomains = (area: Area, domains: readonly Domain[]): void => {
  if (area.storage === undefined) return;
  if (!area.pages.kernel.defects.has('second-domain-not-unmapped')) {
    for (const domain of domains) if (domain !== area.storage) unmapArea(area, domain);
  }
  unfillStorage(area);
};

/** Takes the area out of one of several domains. */
export const unfillSpare = (area: Area, domain: Domain, remaining: Domain): void => {
  if (area.storage === domain) area.storage = remaining;
  unmapArea(area, domain);
};
