// SPDX-License-Identifier: MIT
// The ioctl dispatch of /dev/iommu: selects the family by number; for native calls it checks the
// size, the exact number, the shortest size and the bytes after the known struct, in that order.
// drivers/iommu/iommufd/main.c (iommufd_fops_ioctl), lib/usercopy.c (copy_struct_from_user).

import { u32At, zeroBytes } from '../../spec/abi/bytes.ts';
import { ERRNO } from '../../spec/abi/errno.ts';
import { COMMAND_BASE, NATIVE_CALLS, type NativeCall } from '../../spec/abi/native.ts';
import type { Release } from '../../spec/terms/releases.ts';
import { HANDLERS } from './calls/handlers.ts';
import { Command } from './command.ts';
import { compatCall } from './compat/compat-call.ts';
import type { IommufdContext } from './context.ts';
import type { UserMemory } from './memory/user-memory.ts';

/** By number from COMMAND_BASE; undefined for numbers that the release does not have. */
type CallTable = readonly (NativeCall | undefined)[];

const numberOf = (command: number): number => command & 0xff;

const makeTable = (release: Release, withTests: boolean): CallTable => {
  const table: (NativeCall | undefined)[] = [];
  for (const call of NATIVE_CALLS) {
    if (release.absentCalls.has(call.name)) continue;
    if (call.name === 'IOMMU_TEST_CMD' && !withTests) continue;
    table[numberOf(call.command) - COMMAND_BASE] = call;
  }
  return table;
};

const tables = new Map<string, CallTable>();

const tableFor = (context: IommufdContext): CallTable => {
  const { release, platform } = context.kernel;
  const key = `${release.name} ${platform.testCommands}`;
  let table = tables.get(key);
  if (table === undefined) {
    table = makeTable(release, platform.testCommands);
    tables.set(key, table);
  }
  return table;
};

/** The program's struct in the kernel's size: truncated, or extended with zeros. */
const copyStruct = (
  user: UserMemory,
  address: bigint,
  known: number,
  size: number,
  checksTail: boolean,
): Uint8Array | number => {
  if (size > known && checksTail) {
    const tail = user.zeroed(address + BigInt(known), size - known);
    if (tail === 'fault') return -ERRNO.EFAULT;
    if (tail === 'nonzero') return -ERRNO.E2BIG;
  }
  const bytes = zeroBytes(known);
  const wanted = size < known ? bytes.subarray(0, size) : bytes;
  return user.readInto(wanted, address) === wanted.length ? bytes : -ERRNO.EFAULT;
};

/** One ioctl on an iommufd. Returns the result, or -errno. */
export const dispatch = (context: IommufdContext, command: number, argument: bigint): number => {
  const { user, defects } = context.kernel;
  const table = tableFor(context);
  const index = numberOf(command) - COMMAND_BASE;
  if (index < 0 || index >= table.length) return compatCall(context, command, argument);
  const sizeBytes = user.read(argument, 4);
  if (sizeBytes === undefined) return -ERRNO.EFAULT;
  const size = u32At(sizeBytes, 0);
  const call = table[index];
  if (call === undefined || call.command !== command) return -ERRNO.ENOTTY;
  if (size < call.minimum) return -ERRNO.EINVAL;
  const checksTail = !defects.has('tail-not-checked');
  const bytes = copyStruct(user, argument, call.layout.size, size, checksTail);
  if (typeof bytes === 'number') return bytes;
  return HANDLERS[call.name](context, new Command(user, argument, size, bytes));
};
