// SPDX-License-Identifier: MIT
// A setting as JSON and back: release, platform and credentials, everything that a run depends on except the program.

import * as v from 'valibot';
import type { IovaRange, Platform, Setting } from '../../spec/terms/platform.ts';
import { DMA_ENTRY_LIMIT } from '../../spec/terms/platforms.ts';
import type { Fields } from './fields.ts';
import { hexText } from './json-line.ts';
import { DEVICES_MAX, IOMMUS_MAX, RESERVED_MAX } from './limits.ts';
import {
  fields,
  flag,
  I32_MAX,
  list,
  must,
  openFields,
  release,
  text,
  U32_MAX,
  u64,
  whole,
  word,
} from './values.ts';

const rangeJson = ({ start, last }: IovaRange) => [hexText(start), hexText(last)];

export const platformJson = (platform: Platform) => ({
  name: platform.name,
  iommus: platform.iommus.map(({ pageSizes, aperture, enforcesCacheCoherency, driver }) => ({
    pageSizes: hexText(pageSizes),
    aperture: rangeJson(aperture),
    enforcesCacheCoherency,
    ...(driver === undefined ? {} : { driver }),
  })),
  devices: platform.devices.map(({ name, group, cdev, iommu, reserved, dmaEngine }) => ({
    name,
    group,
    ...(cdev === undefined ? {} : { cdev }),
    iommu,
    reserved: reserved.map(rangeJson),
    ...(dmaEngine === undefined ? {} : { dmaEngine }),
  })),
  testCommands: platform.testCommands,
  mockDevices: platform.mockDevices,
  noIommuConfigured: platform.noIommuConfigured,
  ...(platform.noIommuEnabled === undefined ? {} : { noIommuEnabled: platform.noIommuEnabled }),
  ...(platform.unsafeInterrupts === undefined
    ? {}
    : { unsafeInterrupts: platform.unsafeInterrupts }),
  ...(platform.groupsInUse === undefined ? {} : { groupsInUse: platform.groupsInUse }),
  ...(platform.memoryKinds === undefined ? {} : { memoryKinds: platform.memoryKinds }),
  dmaEntryLimit: platform.dmaEntryLimit,
});

const RANGE = 'the first and the last IOVA, of which the last is not before the first';

export const range = v.pipe(
  v.strictTuple([u64, u64], must(RANGE)),
  v.check(([start, last]) => start <= last, must(RANGE)),
  v.transform(([start, last]): IovaRange => ({ start, last })),
);

/** The bits of page sizes that are at least the processor's page size. */
const PAGE_SIZES = 0xffff_ffff_ffff_f000n;

export const pageSizes = v.pipe(
  u64,
  v.check(
    (bits) => bits !== 0n && (bits & ~PAGE_SIZES) === 0n,
    must('a bitmap of one page size or more, each of at least 4096 bytes'),
  ),
);

/** Groups and cdevs are numbered from 0. */
export const number = whole(0, I32_MAX);

const iommu = fields({
  pageSizes,
  aperture: range,
  enforcesCacheCoherency: flag,
  driver: v.exactOptional(word(['virtio'])),
});

const device = v.pipe(
  fields({
    name: text,
    group: number,
    cdev: v.exactOptional(number),
    iommu: v.union(
      [whole(0, IOMMUS_MAX - 1), v.literal('none'), v.literal('noiommu')],
      must('the index of an IOMMU, "none" or "noiommu"'),
    ),
    reserved: list(range, RESERVED_MAX),
    dmaEngine: v.exactOptional(v.literal(true, must('true, or absent'))),
  }),
  v.check(
    ({ iommu, dmaEngine }) => iommu !== 'noiommu' || dmaEngine === undefined,
    'must not have "dmaEngine": it would move memory that no IOMMU protects',
  ),
);

type Named = { readonly name: string; readonly cdev?: number };

/** Devices have distinct names, and cdevs distinct numbers. */
const areDistinct = (devices: readonly Named[]): boolean => {
  const files = devices.flatMap(({ cdev }) => cdev ?? []);
  return (
    new Set(devices.map(({ name }) => name)).size === devices.length &&
    new Set(files).size === files.length
  );
};

const NOT_DISTINCT = 'must have devices of different names and different "cdev"';

const platform = v.pipe(
  fields({
    name: text,
    iommus: list(iommu, IOMMUS_MAX),
    devices: list(device, DEVICES_MAX),
    testCommands: flag,
    mockDevices: flag,
    noIommuConfigured: flag,
    noIommuEnabled: v.exactOptional(flag),
    unsafeInterrupts: v.exactOptional(fields({ type1: flag, iommufd: flag })),
    groupsInUse: v.exactOptional(list(number, DEVICES_MAX)),
    memoryKinds: v.exactOptional(list(word(['device', 'huge']), 2)),
    dmaEntryLimit: v.exactOptional(whole(0, U32_MAX), DMA_ENTRY_LIMIT),
  }),
  v.check(
    ({ iommus, devices }) =>
      devices.every(({ iommu: index }) => typeof index !== 'number' || index < iommus.length),
    'must have the IOMMUs that its devices name',
  ),
  v.check(({ devices }) => areDistinct(devices), NOT_DISTINCT),
);

const PAGES_MAX = 2 ** 40;

const credentials = fields({
  privileged: flag,
  memlockLimit: u64,
  lockedBefore: v.exactOptional(whole(0, PAGES_MAX)),
});

/** The fields of a setting in a header. */
export const SETTING = { release, platform, credentials };

/** The three fields that a setting has in a header. */
export const settingJson = ({ release, platform, credentials }: Setting) => ({
  release,
  platform: platformJson(platform),
  credentials: {
    privileged: credentials.privileged,
    memlockLimit: hexText(credentials.memlockLimit),
    ...(credentials.lockedBefore === undefined ? {} : { lockedBefore: credentials.lockedBefore }),
  },
});

/** The setting in a header that has other fields, too. Throws BadInput. */
export const settingOf = (header: Fields): Setting => header.checked(openFields(SETTING));
