// SPDX-License-Identifier: MIT
// A descriptor that a call opens. Its number is the kernel's choice; the preferred one is the lowest free number.

import { fileDescriptor } from '../abi/units.ts';
import {
  fileAt,
  lowestFreeDescriptor,
  type OpenFile,
  type World,
  withDescriptor,
  withNewFile,
} from '../state/world.ts';
import type { Process } from '../terms/call.ts';
import type { Rule } from '../terms/rule.ts';
import { type Reply, succeeded, withChoices } from './outcome.ts';

/** The reply that opens a file in `world`, with the descriptor as its result; `make` gets the file's id. */
export const opensDescriptor = (
  world: World,
  process: Process,
  rule: Rule,
  make: (id: number) => OpenFile,
): Reply => {
  const preferred = lowestFreeDescriptor(world, process);
  const after = (fd: number): World => {
    const made = withNewFile(world, make);
    return withDescriptor(made.world, process, fileDescriptor(fd), made.id);
  };
  return withChoices(succeeded(rule, after(preferred), [], preferred), {
    list: [
      {
        what: 'a descriptor',
        location: { in: 'result' },
        preferred: BigInt(preferred),
        unfit: (value) =>
          fileAt(world, process, fileDescriptor(Number(value))) === undefined
            ? undefined
            : 'the descriptor is open already',
      },
    ],
    world: ([chosen]) => after(Number(chosen)),
  });
};
