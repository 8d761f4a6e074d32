// Groups and devices, as they are opened and closed in every alphabet that has them.

import * as vfio from '../../../spec/abi/vfio.ts';
import { bytes, close, type Fields, open, plain, thing, vfioCall } from '../calls.ts';
import type { Letter, Thing } from '../letters.ts';

const hexOf = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

/** Opening a group, joining what is a container to it, leaving, and closing. */
export const groupLetters = (group: number, ...containers: readonly Thing[]): readonly Letter[] =>
  lettersOfGroup(group, `/dev/vfio/${group}`, containers);

/** The same of a group without an IOMMU. */
export const noIommuGroupLetters = (
  group: number,
  ...containers: readonly Thing[]
): readonly Letter[] => lettersOfGroup(group, `/dev/vfio/noiommu-${group}`, containers);

const lettersOfGroup = (
  group: number,
  path: string,
  containers: readonly Thing[],
): readonly Letter[] => {
  const on = `group ${group}`;
  return [
    open(on, path, on),
    ...containers.map((container) =>
      vfioCall(`${on} joins ${container}`, on, 'VFIO_GROUP_SET_CONTAINER', {
        fd: thing(container),
      }),
    ),
    vfioCall(`${on} joins itself`, on, 'VFIO_GROUP_SET_CONTAINER', { fd: thing(on) }),
    plain(`${on} leaves`, on, vfio.VFIO_GROUP_UNSET_CONTAINER, 0n),
    vfioCall(`status of ${on}`, on, 'VFIO_GROUP_GET_STATUS', {}),
    close(on),
  ];
};

/** A device that is got from its group, twice at most, and closed. */
/**
 * Attaching by a device's own file. The number is one of the iommufd that is open: where the device is bound to another
 * one, it would mean whatever has that number there, and worlds that differ in numbers only would not be one state.
 */
export const attachLetter = (name: string, file: Thing, to: Thing, fields: Fields = {}): Letter =>
  vfioCall(
    name,
    file,
    'VFIO_DEVICE_ATTACH_IOMMUFD_PT',
    { ...fields, pt_id: thing(to) },
    { unless: ['closed iommufd 1'] },
  );

export const deviceLetters = (group: number, name: string): readonly Letter[] => [
  bytes(`device ${name}`, `group ${group}`, vfio.VFIO_GROUP_GET_DEVICE_FD, `${hexOf(name)}00`, [
    `device ${name} 2`,
  ]),
  close(`device ${name} 1`),
];
