// SPDX-License-Identifier: MIT
// Calls that examples of the legacy container share: opening, joining, mapping, and parts of the arena.

import { DATA_OFFSET } from '../../model/programs/arena.ts';
import type { Value } from '../../model/programs/program.ts';
import type { RuleId } from '../../spec/rules.ts';
import type { Platform, Setting } from '../../spec/terms/platform.ts';
import { arena, close, getDeviceFd, open, out, vfio, vfioPlain } from '../helpers/operations.ts';
import { LIMITED, PRIVILEGED, platform, settingOf } from '../helpers/settings.ts';
import { type Answered, type Cited, cited } from './example.ts';

export const PAGE = 4096n;
export const LAST_PAGE = 0xffff_ffff_ffff_f000n;
export const DATA = arena(DATA_OFFSET);
export const dataAt = (page: bigint): Value => arena(DATA_OFFSET + page * PAGE);

export const VTD_612 = settingOf('vtd', PRIVILEGED, '6.12.95');
export const MIXED_612 = settingOf('mixed', PRIVILEGED, '6.12.95');
export const LIMITED_VTD = settingOf('vtd', LIMITED);
export const LIMITED_MIXED = settingOf('mixed', LIMITED);

/** The vtd platform with something else about it. */
export const vtdWith = (changed: Partial<Platform>): Setting => ({
  release: '7.3.4',
  platform: { ...platform('vtd'), ...changed },
  credentials: PRIVILEGED,
});

export const opened: Answered = [open('container', '/dev/vfio/vfio'), 'open/container'];

export const group = (label: string, number: number, rule: RuleId = 'open/group'): Answered => [
  open(label, `/dev/vfio/${number}`),
  rule,
];

export const joins = (
  label: string,
  of: string,
  rule: RuleId = 'group-set-container/joins',
): Answered => [vfio(label, of, 'VFIO_GROUP_SET_CONTAINER', { fd: out('container') }), rule];

export const leaves = (
  label: string,
  of: string,
  rule: RuleId = 'group-unset-container/leaves',
): Answered => [vfioPlain(label, of, 'VFIO_GROUP_UNSET_CONTAINER'), rule];

export const closes = (label: string, of: string): Answered => [
  close(label, of),
  'descriptors/closes',
];

export const deviceOf = (
  label: string,
  of: string,
  name: string,
  rule: Cited<'group-get-device-fd'> = 'opens-under-type1',
): Answered => [getDeviceFd(label, of, name), cited('group-get-device-fd', rule)];

export const setType = (label: string, type: bigint, rule: Cited<'type1-set-iommu'>): Answered => [
  vfioPlain(label, 'container', 'VFIO_SET_IOMMU', type),
  cited('type1-set-iommu', rule),
];

export const extension = (
  label: string,
  number: bigint,
  rule: Cited<'type1-check-extension'>,
): Answered => [
  vfioPlain(label, 'container', 'VFIO_CHECK_EXTENSION', number),
  cited('type1-check-extension', rule),
];

/** A container with group 4, which is behind an IOMMU, and a type. */
export const withGroup = (type: 1n | 3n = 3n): readonly Answered[] => [
  opened,
  group('group', 4),
  joins('join', 'group'),
  setType('type', type, type === 1n ? 'v1' : 'v2'),
];

/** A v2 container with an mdev's group. */
export const WITH_MEDIATED: readonly Answered[] = [
  opened,
  group('mediated', 7),
  joins('join', 'mediated'),
  setType('type', 3n, 'v2'),
];

type Fields = Readonly<Record<string, Value>>;

/** A map of a page at 0, unless the fields say otherwise. */
export const maps = (
  label: string,
  fields: Fields = {},
  rule: Cited<'type1-map-dma'> = 'maps',
): Answered => [
  vfio(label, 'container', 'VFIO_IOMMU_MAP_DMA', {
    flags: 3n,
    vaddr: DATA,
    iova: 0n,
    size: PAGE,
    ...fields,
  }),
  cited('type1-map-dma', rule),
];

export const unmaps = (
  label: string,
  fields: Fields,
  rule: Cited<'type1-unmap-dma'> = 'unmaps',
): Answered => [
  vfio(label, 'container', 'VFIO_IOMMU_UNMAP_DMA', fields),
  cited('type1-unmap-dma', rule),
];

export const ALL = { flags: 2n } as const;
export const VADDR = 4n;
