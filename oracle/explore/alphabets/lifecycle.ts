// Groups, devices and their own files on an iommufd: opened, bound, attached, detached and closed in every order.

import { MAP_FIXED_IOVA, MAP_READABLE, MAP_WRITEABLE } from '../../../spec/abi/native.ts';
import { close, MOST, native, open, PAGE, thing, vfioCall } from '../calls.ts';
import type { Alphabet, Letter, Thing } from '../letters.ts';
import { DATA, FIRST } from './places.ts';
import { attachLetter, deviceLetters, groupLetters } from './vfio.ts';

const ON = 'iommufd 1';

/** The device's own file, two of them at most. */
const fileLetters = (name: string, number: number): readonly Letter[] => {
  const on = `cdev ${name} 1`;
  const attach = (to: Thing, pasid = 0n, flags = 0n): Letter =>
    attachLetter(`attach ${name} to ${to}${flags === 0n ? '' : ' as a PASID'}`, on, to, {
      flags,
      pasid,
    });
  return [
    open(`file of ${name}`, `/dev/vfio/devices/vfio${number}`, `cdev ${name} 2`),
    vfioCall(`bind ${name}`, on, 'VFIO_DEVICE_BIND_IOMMUFD', { iommufd: thing(ON) }),
    vfioCall(`bind the other file of ${name}`, `cdev ${name} 2`, 'VFIO_DEVICE_BIND_IOMMUFD', {
      iommufd: thing(ON),
    }),
    vfioCall(`bind ${name} to itself`, on, 'VFIO_DEVICE_BIND_IOMMUFD', { iommufd: thing(on) }),
    attach('ioas 1'),
    attach('ioas 2'),
    attach('hwpt 1'),
    attach('device 1'),
    attach('ioas 1', 0n, 1n),
    vfioCall(`attach ${name} to nothing`, on, 'VFIO_DEVICE_ATTACH_IOMMUFD_PT', {}),
    vfioCall(`detach ${name}`, on, 'VFIO_DEVICE_DETACH_IOMMUFD_PT', {}),
    close(on),
    close(`cdev ${name} 2`),
  ];
};

export const LIFECYCLE: Alphabet = {
  name: 'lifecycle',
  says: 'Groups, devices and their own files on an iommufd: opened, bound, attached, detached and closed in every order.',
  platform: 'vtd',
  depth: 9,
  letters: [
    open('open', '/dev/iommu', 'iommufd 1'),
    native('IOAS', 'IOMMU_IOAS_ALLOC', {}, { unless: ['ioas 2'] }),
    native('map 1 page', 'IOMMU_IOAS_MAP', {
      flags: BigInt(MAP_FIXED_IOVA | MAP_READABLE | MAP_WRITEABLE),
      ioas_id: thing('ioas 1'),
      user_va: DATA,
      length: PAGE,
      iova: FIRST,
    }),
    native('unmap everything', 'IOMMU_IOAS_UNMAP', { ioas_id: thing('ioas 1'), length: MOST }),
    ...groupLetters(4, ON),
    ...deviceLetters(4, '0000:00:04.0'),
    ...groupLetters(5, ON),
    ...deviceLetters(5, '0000:00:05.0'),
    ...fileLetters('0000:00:04.0', 0),
    native(
      'hwpt',
      'IOMMU_HWPT_ALLOC',
      { dev_id: thing('device 1'), pt_id: thing('ioas 1') },
      { unless: ['hwpt 2'] },
    ),
    native('destroy hwpt 1', 'IOMMU_DESTROY', { id: thing('hwpt 1') }),
    native('destroy device 1', 'IOMMU_DESTROY', { id: thing('device 1') }),
    native('destroy ioas 1', 'IOMMU_DESTROY', { id: thing('ioas 1') }),
    native('destroy ioas 2', 'IOMMU_DESTROY', { id: thing('ioas 2') }),
    close('iommufd 1'),
  ],
};
