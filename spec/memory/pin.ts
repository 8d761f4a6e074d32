// SPDX-License-Identifier: MIT
// The pages that the kernel pins for a range of a process's addresses: pin_user_pages_fast() with FOLL_LONGTERM ,
// mm/gup.c.

import { PAGE_SIZE_BYTES, pageIndex, U64_MAX } from '../abi/units.ts';
import { mappingAt, type PageSpan } from '../state/address-space.ts';
import { type Memory, spaceOf } from '../state/memory.ts';
import type { Process } from '../terms/call.ts';
import { type Refused, refused, refuses, rulesOf } from '../terms/rule.ts';

export const pinningRules = rulesOf(
  { id: 'pinning', title: 'pinning', source: 'check_vma_flags() in mm/gup.c' },
  {
    wraps: refuses(
      'EOVERFLOW',
      'The end of the range, rounded up to a page, exceeds U64_MAX.',
      'gup_fast_fallback() in mm/gup.c',
    ),
    notMapped: refuses(
      'EFAULT',
      'A page of the range is not mapped.',
      'gup_vma_lookup() in mm/gup.c',
    ),
    notMemory: refuses('EFAULT', 'A page of the range cannot be pinned, such as a page of a BAR.'),
    beyondFile: refuses(
      'EFAULT',
      'A page of the range is beyond the end of its file.',
      'faultin_page() in mm/gup.c',
    ),
    notAccessible: refuses('EFAULT', 'The process may not read a page of the range.'),
    notWritable: refuses(
      'EFAULT',
      'The memory was first mapped for writing, and the process may not write a page of the range.',
    ),
    fileTooShort: refuses(
      'EINVAL',
      'A page of the range is not wholly inside the file.',
      'memfd_pin_folios() in mm/gup.c',
    ),
  },
);

// The kernel pins this many pages at a time: as many page pointers as fit into 64 KiB.
const PAGES_AT_A_TIME = 8192;

/** The pages of backings to which `count` pages of a process are mapped, from the page-aligned `address`, in order. */
export const pagesToPin = (
  memory: Memory,
  process: Process,
  address: bigint,
  count: number,
  writing: boolean,
): readonly PageSpan[] | Refused => {
  const space = spaceOf(memory, process);
  const spans: PageSpan[] = [];
  let at = address;
  let left = count;
  while (left > 0) {
    const chunk = BigInt(Math.min(left, PAGES_AT_A_TIME)) * PAGE_SIZE_BYTES;
    if (at + chunk > U64_MAX) return refused(pinningRules.wraps);
    const found = mappingAt(space, at);
    if (found === undefined) return refused(pinningRules.notMapped);
    const { start, mapping } = found;
    if (mapping.kind === 'device') return refused(pinningRules.notMemory);
    if (mapping.kind === 'beyond') return refused(pinningRules.beyondFile);
    if (mapping.protection === 'none') return refused(pinningRules.notAccessible);
    if (writing && mapping.protection === 'read') return refused(pinningRules.notWritable);
    const here = Math.min(left, Number((mapping.last - at + 1n) / PAGE_SIZE_BYTES));
    spans.push({
      backing: mapping.backing,
      page: pageIndex(mapping.page + Number((at - start) / PAGE_SIZE_BYTES)),
      count: here,
    });
    at += BigInt(here) * PAGE_SIZE_BYTES;
    left -= here;
  }
  return spans;
};
