// SPDX-License-Identifier: MIT
// The locked and pinned memory that the kernel reports to a process: VmLck and VmPin of /proc/self/status.

import { type Outcome, succeeded } from '../outcome/outcome.ts';
import { accountOf, lockedOf } from '../state/memory.ts';
import type { World } from '../state/world.ts';
import type { StatusCall } from '../terms/call.ts';
import { grants, rulesOf } from '../terms/rule.ts';

export const procStatusRules = rulesOf(
  { id: 'proc-status', title: '/proc/self/status', source: 'task_mem() in fs/proc/task_mmu.c' },
  {
    locked: grants(
      'VmLck counts the pages charged to the process and those that it has locked itself.',
    ),
    pinned: grants(
      'VmPin counts the pages that iommufds have pinned for the process, however they are charged.',
    ),
  },
);

export const status = (world: World, { process, field }: StatusCall): readonly Outcome[] => {
  return field === 'VmLck'
    ? [succeeded(procStatusRules.locked, world, [], lockedOf(world.memory, process))]
    : [succeeded(procStatusRules.pinned, world, [], accountOf(world.memory, process).pinned)];
};
