// SPDX-License-Identifier: MIT
// Which numbers of a program are descriptors, and whether its own calls returned them.

import { match, P } from 'ts-pattern';
import type { Operation, Value } from '../../model/programs/program.ts';
import { VFIO_GROUP_GET_DEVICE_FD } from '../../spec/abi/vfio.ts';
import { inputsOfCall, TEST_COMMAND } from '../safety/struct-inputs.ts';
import { belongsTo } from './c-names.ts';
import type { Emission } from './emission-data.ts';

const FIRST_OWN_DESCRIPTOR = 3;

/** The output descriptor of a C file that must leave lower numbers closed. */
export const OUTPUT_DESCRIPTOR = 500;

/** Whether its result is a descriptor. */
export const openedBy = (operation: Operation): boolean =>
  operation.op === 'open' ||
  operation.op === 'memfd' ||
  (operation.op === 'ioctl' && operation.command === VFIO_GROUP_GET_DEVICE_FD);

/** Test operations whose `id` is a descriptor. */
const ON_ACCESS = /^(?:ACCESS_|DESTROY_ACCESS)/;

/** The values that an operation uses as descriptors. */
const descriptorsIn = (operation: Operation): readonly Value[] =>
  match(operation)
    .with({ op: 'close' }, ({ fd }) => [fd])
    .with({ op: 'mmap' }, ({ backing }) => (backing.kind === 'memfd' ? [backing.fd] : []))
    .with({ op: 'ioctl' }, ({ fd: descriptor, argument }) => {
      if (argument.kind !== 'struct') return [descriptor];
      const { fd, iommufd, id } = argument.fields;
      return [
        descriptor,
        ...[fd, iommufd].filter((value) => value !== undefined),
        ...(ON_ACCESS.test(argument.layout) && id !== undefined ? [id] : []),
      ];
    })
    .with({ op: P.union('open', 'memfd', 'munmap', 'store', 'status', 'dma') }, () => [])
    .exhaustive();

/** The first descriptor that a call of the program returned. */
export const firstDescriptor = ({ program, steps }: Emission): number => {
  let first = Number.POSITIVE_INFINITY;
  program.forEach((operation, index) => {
    const result = steps[index]?.observation.result ?? -1;
    if (openedBy(operation) && result >= FIRST_OWN_DESCRIPTOR) first = Math.min(first, result);
  });
  return first < OUTPUT_DESCRIPTOR ? first : FIRST_OWN_DESCRIPTOR;
};

/** Whether the kernel may read a descriptor from memory that the program did not store. */
const leavesDescriptorsOpen = (operation: Operation): boolean => {
  if (operation.op !== 'ioctl') return false;
  const { argument, command } = operation;
  if (argument.kind === 'struct' && belongsTo(argument.layout, command)) return false;
  return command === TEST_COMMAND || (inputsOfCall(command, 0)?.descriptors.length ?? 0) > 0;
};

/** Whether a call uses a descriptor that no call returned: it must be closed. */
export const namesForeignDescriptors = ({ program, steps }: Emission): boolean => {
  /** Labels whose latest operation succeeded. */
  const given = new Set<string>();
  return program.some((operation, index) => {
    const isForeign =
      leavesDescriptorsOpen(operation) ||
      descriptorsIn(operation).some(
        (value) => typeof value !== 'object' || !('from' in value) || !given.has(value.from),
      );
    if ((steps[index]?.observation.result ?? -1) >= 0) given.add(operation.label);
    else given.delete(operation.label);
    return isForeign;
  });
};
