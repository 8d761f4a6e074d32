// SPDX-License-Identifier: MIT
// The invariants between two calls: page tables match the areas, and every page is pinned and
// charged once for each set of pages that uses it. For tests; it visits everything.

import { PAGE_SIZE } from '../../spec/abi/units.ts';
import { Ioas } from './ioas.ts';
import type { Area } from './iopt/area.ts';
import type { Pages } from './iopt/pages.ts';
import type { Kernel } from './kernel.ts';
import { checkContainers } from './type1/invariants.ts';

type InvariantCheck = {
  readonly violations: string[];
  /** Every set of pages of an area, with the frames in use by page index. */
  readonly pages: Map<Pages, ReadonlyMap<number, number | undefined>>;
};

const describe = (area: Area): string =>
  `area [${area.start.toString(16)}, ${area.last.toString(16)}]`;

/** Frames in use, by page index. */
const usedFrames = (pages: Pages): Map<number, number | undefined> => {
  const frames = new Map<number, number | undefined>(pages.pinnedFrames);
  const end = Number.MAX_SAFE_INTEGER;
  let slice = pages.domains.first(0, end);
  for (let index = 0; slice !== undefined; slice = pages.domains.first(index, end)) {
    const area = slice.owner;
    for (index = Math.max(index, slice.start); index <= slice.last; index += 1) {
      frames.set(index, area.storage?.frame(area.iovaOf(index)));
    }
  }
  return frames;
};

const checkArea = (found: InvariantCheck, area: Area, ioas: Ioas): void => {
  const { domains } = ioas.table;
  if ((area.storage !== undefined) !== domains.length > 0) {
    found.violations.push(`${describe(area)} has the wrong storage domain`);
  }
  const frames = found.pages.get(area.pages) ?? usedFrames(area.pages);
  found.pages.set(area.pages, frames);
  for (const domain of domains) {
    for (let index = area.firstIndex; index <= area.lastIndex; index += 1) {
      const physical = domain.table.translate(area.iovaOf(index));
      const offset = index === area.firstIndex ? area.pageOffset : 0;
      const frame = frames.get(index);
      if (frame === undefined || physical !== frame * PAGE_SIZE + offset) {
        found.violations.push(`${describe(area)} is not what a domain translates at page ${index}`);
      }
    }
  }
};

const checkIoas = (found: InvariantCheck, ioas: Ioas): void => {
  let mapped = 0n;
  let accesses = 0;
  for (const area of ioas.table.areas) {
    mapped += area.length;
    accesses += area.accesses;
    checkArea(found, area, ioas);
    const mask = ioas.table.alignment - 1n;
    if (((area.start | area.length) & mask) !== 0n) {
      found.violations.push(`${describe(area)} is not aligned to ${ioas.table.alignment}`);
    }
    if (ioas.table.reserved.meets(area.start, area.last)) {
      found.violations.push(`${describe(area)} meets reserved IOVAs`);
    }
  }
  if (accesses > 0 && ioas.table.accesses.empty) {
    found.violations.push('an area has pages pinned by an access that is not there');
  }
  for (const domain of ioas.table.domains) {
    let translated = 0;
    for (const entry of domain.table) translated += entry.length;
    if (BigInt(translated) !== mapped) {
      found.violations.push(`a domain translates ${translated} bytes and the areas have ${mapped}`);
    }
  }
};

const checkPins = (found: InvariantCheck, kernel: Kernel): void => {
  const pins = new Map<number, number>();
  const charges = { none: 0, user: 0, process: 0 };
  const containers = checkContainers(kernel);
  found.violations.push(...containers.violations);
  for (const frame of containers.frames) pins.set(frame, (pins.get(frame) ?? 0) + 1);
  for (const [pages, frames] of found.pages) {
    if (frames.size !== pages.pinned) {
      found.violations.push(`${pages.pinned} pages are pinned and ${frames.size} are used`);
    }
    charges[pages.accountMode] += frames.size;
    for (const frame of frames.values()) {
      if (frame !== undefined) pins.set(frame, (pins.get(frame) ?? 0) + 1);
    }
  }
  for (const { frame, count } of kernel.frames.pinned()) {
    if (pins.get(frame) !== count) {
      found.violations.push(`frame ${frame} is pinned ${count} times and used ${pins.get(frame)}`);
    }
    pins.delete(frame);
  }
  if (pins.size > 0) found.violations.push(`${pins.size} frames are used and not pinned`);
  const { accounts } = kernel;
  const total = charges.none + charges.user + charges.process;
  if (
    accounts.user !== charges.user ||
    accounts.process !== charges.process + containers.frames.length
  ) {
    found.violations.push('the charges are not what is pinned');
  }
  if (accounts.pinned !== total) found.violations.push('pinned_vm is not what is pinned');
};

/** The invariants that do not hold, as sentences; empty if all hold. */
export const violationsOf = (kernel: Kernel): readonly string[] => {
  const found: InvariantCheck = { violations: [], pages: new Map() };
  for (const context of kernel.contexts) {
    for (const object of context.objects) if (object instanceof Ioas) checkIoas(found, object);
  }
  checkPins(found, kernel);
  return found.violations;
};
