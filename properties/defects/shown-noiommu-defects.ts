// SPDX-License-Identifier: MIT
// For each deliberate defect of the emulator in serving devices without an IOMMU the shortest program that shows it, written
// by hand.

import type { Operation } from '../../model/programs/program.ts';
import { getDeviceFd, native, open, out, vfio } from '../helpers/operations.ts';
import { settingOf } from '../helpers/settings.ts';
import type { ShownDefect } from './shown-defect.ts';

const setting = settingOf('noiommu');

const group = open('group', '/dev/vfio/noiommu-0');
const mdev = open('mediated', '/dev/vfio/3');
const joins = (label: string, to: string): Operation =>
  vfio(`${label} joins`, label, 'VFIO_GROUP_SET_CONTAINER', { fd: out(to) });

export const SHOWN_NOIOMMU_DEFECTS: readonly ShownDefect[] = [
  {
    defect: 'noiommu-iommufd-takes-others',
    setting,
    program: [
      open('iommufd'),
      group,
      mdev,
      joins('group', 'iommufd'),
      joins('mediated', 'iommufd'),
    ],
  },
  {
    defect: 'noiommu-groups-mix',
    setting,
    program: [
      open('container', '/dev/vfio/vfio'),
      group,
      mdev,
      joins('group', 'container'),
      joins('mediated', 'container'),
    ],
  },
  {
    defect: 'noiommu-beside-an-ioas',
    setting,
    program: [
      open('iommufd'),
      group,
      joins('group', 'iommufd'),
      native('ioas', 'iommufd', 'IOMMU_IOAS_ALLOC', {}),
      native('set', 'iommufd', 'IOMMU_VFIO_IOAS', { op: 1n, ioas_id: out('ioas', 'out_ioas_id') }),
      getDeviceFd('device', 'group', '0000:00:01.0'),
    ],
  },
];
