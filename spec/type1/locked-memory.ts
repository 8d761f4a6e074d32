// SPDX-License-Identifier: MIT
// Accounting of the legacy container: the pages of every map are charged to the process (VmLck), even if another map
// has them, and even if the process has no limit. vfio_lock_acct() in drivers/vfio/vfio_iommu_type1.c.

import { PAGE_SIZE_BYTES } from '../abi/units.ts';
import { put } from '../collections/ordered-map.ts';
import { accountOf, lockedOf, type Memory } from '../state/memory.ts';
import type { Process } from '../terms/call.ts';
import { type Refused, refused, refuses, rulesOf } from '../terms/rule.ts';

export const type1LockedMemoryRules = rulesOf(
  {
    id: 'type1-locked-memory',
    title: 'type1 locked memory',
    source: 'vfio_pin_pages_remote() in drivers/vfio/vfio_iommu_type1.c',
  },
  {
    processLimit: refuses(
      'ENOMEM',
      'VmLck would exceed RLIMIT_MEMLOCK before a page is reached that cannot be pinned, and the process lacks CAP_IPC_LOCK.',
    ),
    newOwnerLimit: refuses(
      'ENOMEM',
      'The process that sets the vaddr is charged for the map, its VmLck would exceed RLIMIT_MEMLOCK, and it lacks CAP_IPC_LOCK.',
      'vfio_change_dma_owner() in drivers/vfio/vfio_iommu_type1.c',
    ),
  },
);

/** How many pages the process may still lock; undefined if it has no limit. */
export const lockable = (memory: Memory, process: Process): bigint | undefined => {
  const { privileged, memlockLimit } = memory.credentials;
  return privileged
    ? undefined
    : memlockLimit / PAGE_SIZE_BYTES - BigInt(lockedOf(memory, process));
};

/** Charges `pages` more pages to the process; fewer if negative. */
export const withLocked = (memory: Memory, process: Process, pages: number): Memory => {
  if (pages === 0) return memory;
  const account = accountOf(memory, process);
  const accounts = put(memory.accounts, process, { ...account, locked: account.locked + pages });
  return { ...memory, accounts };
};

/** The same, refused if the process may not lock them. */
export const charged = (memory: Memory, process: Process, pages: number): Memory | Refused => {
  const left = lockable(memory, process);
  return left !== undefined && BigInt(pages) > left && pages > 0
    ? refused(type1LockedMemoryRules.processLimit)
    : withLocked(memory, process, pages);
};
