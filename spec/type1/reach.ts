// SPDX-License-Identifier: MIT
// The pages that a map lets devices reach: vfio_pin_pages_remote() and vaddr_get_pfns() in
// drivers/vfio/vfio_iommu_type1.c. Unlike iommufd, type1 also maps BARs, which it cannot pin.

import { PAGE_SIZE_BYTES, pageIndex } from '../abi/units.ts';
import { mappingAt } from '../state/address-space.ts';
import type { ReachedSpan } from '../state/container.ts';
import { type Memory, spaceOf } from '../state/memory.ts';
import type { Process } from '../terms/call.ts';
import { isRefused, type Refused, refused, refuses, rulesOf } from '../terms/rule.ts';
import { charged, lockable, type1LockedMemoryRules } from './locked-memory.ts';

export const type1PinningRules = rulesOf(
  {
    id: 'type1-pinning',
    title: 'type1 pinning',
    source: 'vaddr_get_pfns() in drivers/vfio/vfio_iommu_type1.c',
  },
  {
    notMapped: refuses('EFAULT', 'A page of the range is not mapped, or is beyond user memory.'),
    beyondFile: refuses('EFAULT', 'A page of the range is beyond the end of its file.'),
    notAccessible: refuses('EFAULT', 'The process may not read a page of the range.'),
    notWritable: refuses(
      'EFAULT',
      'WRITE is set, and the process may not write a page of the range.',
    ),
    barNotWritable: refuses(
      'EFAULT',
      'WRITE is set, and the process may not write a BAR that is mapped in the range.',
      'follow_fault_pfn() in drivers/vfio/vfio_iommu_type1.c',
    ),
  },
);

export type Reached = {
  readonly spans: readonly ReachedSpan[];
  readonly memory: Memory;
};

/**
 * The process whose memory it is, and the one that is charged. They differ if another process attaches the first group.
 */
export type Payers = { readonly from: Process; readonly charge: Process };

/**
 * The pages that `count` pages are mapped to, from the page-aligned `address`, pinned and charged. The first page that
 * cannot be pinned or charged decides the refusal.
 */
export const reach = (
  memory: Memory,
  { from, charge }: Payers,
  address: bigint,
  count: number,
  writing: boolean,
): Reached | Refused => {
  const space = spaceOf(memory, from);
  const limit = lockable(memory, from);
  const spans: ReachedSpan[] = [];
  let at = address;
  let left = count;
  let locked = 0;
  while (left > 0) {
    const found = mappingAt(space, at);
    if (found === undefined) return refused(type1PinningRules.notMapped);
    const { start, mapping } = found;
    const { kind, protection, backing } = mapping;
    if (kind === 'beyond') return refused(type1PinningRules.beyondFile);
    if (kind === 'device') {
      if (writing && protection !== 'read-write') return refused(type1PinningRules.barNotWritable);
    } else {
      if (protection === 'none') return refused(type1PinningRules.notAccessible);
      if (writing && protection === 'read') return refused(type1PinningRules.notWritable);
    }
    const here = Math.min(left, Number((mapping.last - at + 1n) / PAGE_SIZE_BYTES));
    if (kind === 'memory') locked += here;
    if (limit !== undefined && BigInt(locked) > limit)
      return refused(type1LockedMemoryRules.processLimit);
    const page = pageIndex(mapping.page + Number((at - start) / PAGE_SIZE_BYTES));
    spans.push({ backing, page, count: here, kind });
    at += BigInt(here) * PAGE_SIZE_BYTES;
    left -= here;
  }
  const paid = charged(memory, charge, locked);
  return isRefused(paid) ? paid : { spans, memory: paid };
};
