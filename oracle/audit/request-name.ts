// SPDX-License-Identifier: MIT
// The name of a request in the audit. The argument of CHECK_EXTENSION and SET_IOMMU is a part of the name.

import type { Operation } from '../../model/programs/program.ts';
import { VFIO_CHECK_EXTENSION, VFIO_SET_IOMMU } from '../../spec/abi/vfio.ts';
import { commandName, nativeName } from '../emit/c-names.ts';
import { extensionName } from '../text/value-names.ts';

/** `namesNative`: native calls have their own names; otherwise one name for all. */
export const requestName = (operation: Operation, namesNative: boolean): string => {
  if (operation.op !== 'ioctl') return operation.op;
  const { command, argument } = operation;
  const native = nativeName(command);
  if (native !== undefined) return namesNative ? native : 'calls of iommufd';
  const known = commandName(command);
  const name = known.startsWith('VFIO_') ? known : 'other numbers';
  const isAsked = command === VFIO_CHECK_EXTENSION || command === VFIO_SET_IOMMU;
  if (!isAsked || argument.kind !== 'plain' || typeof argument.value !== 'bigint') return name;
  return `${name}(${extensionName(argument.value) ?? 'a number without a name'})`;
};
