// SPDX-License-Identifier: MIT
// Structs of which a recording shows fewer bytes than the kernel read.

import { u32At } from '../../spec/abi/bytes.ts';
import { ERRNO } from '../../spec/abi/errno.ts';
import { VFIO_GROUP_GET_DEVICE_FD, VFIO_GROUP_SET_CONTAINER } from '../../spec/abi/vfio.ts';
import type { IoctlCall } from '../../spec/terms/call.ts';
import type { Verdict } from './verdict.ts';

/** Their argument does not begin with its size. */
const WITHOUT_SIZE: ReadonlySet<number> = new Set([
  VFIO_GROUP_SET_CONTAINER,
  VFIO_GROUP_GET_DEVICE_FD,
]);

/** The most bytes of a struct that a recording shows. */
const SHOWN_MIN = 4;
const SHOWN_MAX = 8192;

/**
 * The kernel's answer shows that it read the whole struct, although the recording says that its end could not be
 * read.
 */
export const cutProblem = (
  { rejected }: Extract<Verdict, { kind: 'violation' }>,
  call: IoctlCall,
): string | undefined => {
  const bytes = call.memory[0]?.bytes;
  if (bytes === undefined || WITHOUT_SIZE.has(call.command)) return undefined;
  if (!rejected.every(({ reply }) => reply.errno === ERRNO.EFAULT)) return undefined;
  const size = bytes.length < SHOWN_MIN ? SHOWN_MIN : Math.min(u32At(bytes, 0), SHOWN_MAX);
  return bytes.length < size
    ? `"in" has ${bytes.length} bytes and says that they are ${size}, and the answer shows that the kernel read them: "in" is cut`
    : undefined;
};
