// SPDX-License-Identifier: MIT
// Accounting of locked memory. Pinned pages are charged to the user, to the process, or without a limit, as decided
// when the memory is first mapped. iopt_pages_update_pinned() in drivers/iommu/iommufd/pages.c.

import { PAGE_SIZE_BYTES } from '../abi/units.ts';
import { accountOf, type ChargeMode, lockedOf, type Memory, withAccount } from '../state/memory.ts';
import type { Process } from '../terms/call.ts';
import { type Refused, refused, refuses, rulesOf } from '../terms/rule.ts';

export const lockedMemoryRules = rulesOf(
  {
    id: 'locked-memory',
    title: 'locked memory',
    source: 'incr_user_locked_vm() in drivers/iommu/iommufd/pages.c',
  },
  {
    userLimit: refuses(
      'ENOMEM',
      'The pages charged to the user would exceed RLIMIT_MEMLOCK. Nothing stays pinned.',
    ),
    processLimit: refuses(
      'ENOMEM',
      'VmLck of the process would exceed RLIMIT_MEMLOCK. Nothing stays pinned.',
      '__account_locked_vm() in mm/util.c, called from update_mm_locked_vm()',
    ),
  },
);

const limitInPages = (memory: Memory): bigint => memory.credentials.memlockLimit / PAGE_SIZE_BYTES;

/** Charges `pages` more pages. Refused if a limit would be exceeded. */
export const charged = (
  memory: Memory,
  process: Process,
  mode: ChargeMode,
  pages: number,
): Memory | Refused => {
  if (pages === 0) return memory;
  const account = accountOf(memory, process);
  let { userLocked } = memory;
  let { locked } = account;
  if (mode === 'user') {
    userLocked += pages;
    if (BigInt(userLocked) > limitInPages(memory)) return refused(lockedMemoryRules.userLimit);
  } else if (mode === 'process') {
    locked += pages;
    if (BigInt(lockedOf(memory, process) + pages) > limitInPages(memory)) {
      return refused(lockedMemoryRules.processLimit);
    }
  }
  return withAccount(memory, process, { locked, pinned: account.pinned + pages }, userLocked);
};

/** Uncharges `pages` pages. */
export const uncharged = (
  memory: Memory,
  process: Process,
  mode: ChargeMode,
  pages: number,
): Memory => {
  if (pages === 0) return memory;
  const account = accountOf(memory, process);
  const locked = mode === 'process' ? account.locked - pages : account.locked;
  const userLocked = mode === 'user' ? memory.userLocked - pages : memory.userLocked;
  return withAccount(memory, process, { locked, pinned: account.pinned - pages }, userLocked);
};
