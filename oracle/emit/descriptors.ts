// Which numbers of a program are descriptors, and whether it got them itself.

import type { Operation, Value } from '../../model/programs/program.ts';
import { VFIO_GROUP_GET_DEVICE_FD } from '../../spec/abi/vfio.ts';
import type { Emission } from './emission-data.ts';

const FIRST_OWN_DESCRIPTOR = 3;

/** Whether its result is a descriptor. */
export const openedBy = (operation: Operation): boolean =>
  operation.op === 'open' ||
  operation.op === 'memfd' ||
  (operation.op === 'ioctl' && operation.command === VFIO_GROUP_GET_DEVICE_FD);

/** Test operations whose `id` is a descriptor. */
const ON_ACCESS = /^(?:ACCESS_|DESTROY_ACCESS)/;

/** The numbers that a program takes for descriptors. */
const descriptorsIn = (operation: Operation): readonly Value[] => {
  switch (operation.op) {
    case 'close':
      return [operation.fd];
    case 'mmap':
      return operation.backing.kind === 'memfd' ? [operation.backing.fd] : [];
    case 'ioctl': {
      const { argument } = operation;
      if (argument.kind !== 'struct') return [operation.fd];
      const { fd, iommufd, id } = argument.fields;
      return [
        operation.fd,
        ...[fd, iommufd].filter((value) => value !== undefined),
        ...(ON_ACCESS.test(argument.layout) && id !== undefined ? [id] : []),
      ];
    }
    default:
      return [];
  }
};

/** The first descriptor that a call of the program got. */
export const firstDescriptor = ({ program, steps }: Emission): number => {
  const got = program.flatMap((operation, index) => {
    const result = steps[index]?.observation.result ?? -1;
    return openedBy(operation) && result >= FIRST_OWN_DESCRIPTOR ? [result] : [];
  });
  return got.length === 0 ? FIRST_OWN_DESCRIPTOR : Math.min(...got);
};

const wasGiven = (emission: Emission, value: Value): boolean => {
  if (typeof value !== 'object' || !('from' in value)) return false;
  const index = emission.program.findIndex(({ label }) => label === value.from);
  return (emission.steps[index]?.observation.result ?? -1) >= 0;
};

/** Some call is made on a descriptor that the program did not get: it must be nobody's. */
export const namesForeignDescriptors = (emission: Emission): boolean =>
  emission.program.some((operation) =>
    descriptorsIn(operation).some((value) => !wasGiven(emission, value)),
  );
