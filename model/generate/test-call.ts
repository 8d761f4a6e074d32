// SPDX-License-Identifier: MIT
// A test command with the given fields and a valid address of its struct.

import { TEST_OPERATIONS, type TestOperationName } from '../../spec/abi/test.ts';
import { STRUCT_OFFSET } from '../programs/arena.ts';
import type { Operation, Value } from '../programs/program.ts';

const TEST_COMMAND = 0x3ba0;

export const testCall = (
  label: string,
  fd: Value,
  layout: TestOperationName,
  fields: Readonly<Record<string, Value>>,
): Operation => ({
  op: 'ioctl',
  label,
  fd,
  command: TEST_COMMAND,
  argument: {
    kind: 'struct',
    at: { arena: STRUCT_OFFSET },
    layout,
    fields: {
      size: 72n,
      op: BigInt(TEST_OPERATIONS.find(({ name }) => name === layout)?.op ?? 0),
      ...fields,
    },
  },
});
