// A setting as JSON and back: release, platform and credentials, everything that a run depends on besides the program.

import type {
  Credentials,
  Iommu,
  IovaRange,
  MemoryKind,
  Platform,
  PlatformDevice,
  Setting,
  UnsafeInterrupts,
} from '../../spec/terms/platform.ts';
import { RELEASE_NAMES } from '../../spec/terms/releases.ts';
import { type Fields, HEX } from './fields.ts';
import { hexText } from './json-line.ts';

const rangeJson = ({ start, last }: IovaRange) => [hexText(start), hexText(last)];

const rangeOf = (fields: Fields, value: unknown): IovaRange => {
  const [start, last] = Array.isArray(value) && value.length === 2 ? value : [];
  if (
    typeof start !== 'string' ||
    typeof last !== 'string' ||
    !HEX.test(start) ||
    !HEX.test(last)
  ) {
    fields.fail('a range of IOVAs is no pair of two hexadecimal numbers, the first and the last');
  }
  return { start: BigInt(start), last: BigInt(last) };
};

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

const iommuOf = (fields: Fields): Iommu => {
  fields.only('pageSizes', 'aperture', 'enforcesCacheCoherency', 'driver');
  if (fields.has('driver') && fields.text('driver') !== 'virtio') {
    fields.fail(`no IOMMU of the driver ${fields.text('driver')} is specified`);
  }
  return {
    pageSizes: fields.hex('pageSizes'),
    aperture: rangeOf(fields, fields.raw('aperture')),
    enforcesCacheCoherency: fields.flag('enforcesCacheCoherency'),
    ...(fields.has('driver') ? { driver: 'virtio' } : {}),
  };
};

const deviceOf = (fields: Fields, iommus: number): PlatformDevice => {
  fields.only('name', 'group', 'cdev', 'iommu', 'reserved', 'dmaEngine');
  const said = fields.raw('iommu');
  const iommu = said === 'none' || said === 'noiommu' ? said : fields.integer('iommu');
  if (typeof iommu === 'number' && (iommu < 0 || iommu >= iommus)) {
    fields.fail(`device ${fields.text('name')} names an IOMMU that the platform does not have`);
  }
  if (iommu === 'noiommu' && fields.has('dmaEngine')) {
    fields.fail(`device ${fields.text('name')} would move memory that no IOMMU protects`);
  }
  return {
    name: fields.text('name'),
    group: fields.integer('group'),
    ...(fields.raw('cdev') === undefined ? {} : { cdev: fields.integer('cdev') }),
    iommu,
    reserved: fields.list('reserved').map((value) => rangeOf(fields, value)),
    ...(fields.has('dmaEngine') && fields.flag('dmaEngine') ? { dmaEngine: true } : {}),
  };
};

const memoryKindsOf = (fields: Fields): readonly MemoryKind[] =>
  fields
    .list('memoryKinds')
    .map((kind) =>
      kind === 'device' || kind === 'huge' ? kind : fields.fail('no such kind of memory'),
    );

const unsafeInterruptsOf = (fields: Fields): UnsafeInterrupts => {
  fields.only('type1', 'iommufd');
  return { type1: fields.flag('type1'), iommufd: fields.flag('iommufd') };
};

const groupsInUseOf = (fields: Fields): readonly number[] =>
  fields
    .list('groupsInUse')
    .map((group) =>
      typeof group === 'number' && Number.isInteger(group) ? group : fields.fail('no such group'),
    );

/** Of files that do not say it. */
const DMA_ENTRY_LIMIT = 65535;

const platformOf = (fields: Fields): Platform => {
  fields.only(
    'name',
    'iommus',
    'devices',
    'testCommands',
    'mockDevices',
    'noIommuConfigured',
    'noIommuEnabled',
    'unsafeInterrupts',
    'groupsInUse',
    'memoryKinds',
    'dmaEntryLimit',
  );
  const iommus = fields.objects('iommus').map(iommuOf);
  return {
    name: fields.text('name'),
    iommus,
    devices: fields.objects('devices').map((device) => deviceOf(device, iommus.length)),
    testCommands: fields.flag('testCommands'),
    mockDevices: fields.flag('mockDevices'),
    noIommuConfigured: fields.flag('noIommuConfigured'),
    ...(fields.has('noIommuEnabled') ? { noIommuEnabled: fields.flag('noIommuEnabled') } : {}),
    ...(fields.has('unsafeInterrupts')
      ? { unsafeInterrupts: unsafeInterruptsOf(fields.object('unsafeInterrupts')) }
      : {}),
    ...(fields.has('groupsInUse') ? { groupsInUse: groupsInUseOf(fields) } : {}),
    ...(fields.has('memoryKinds') ? { memoryKinds: memoryKindsOf(fields) } : {}),
    dmaEntryLimit:
      fields.raw('dmaEntryLimit') === undefined ? DMA_ENTRY_LIMIT : fields.integer('dmaEntryLimit'),
  };
};

const credentialsOf = (fields: Fields): Credentials => {
  fields.only('privileged', 'memlockLimit', 'lockedBefore');
  return {
    privileged: fields.flag('privileged'),
    memlockLimit: fields.hex('memlockLimit'),
    ...(fields.has('lockedBefore') ? { lockedBefore: fields.integer('lockedBefore') } : {}),
  };
};

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

export const settingOf = (header: Fields): Setting => {
  const release = RELEASE_NAMES.find((name) => name === header.raw('release'));
  if (release === undefined) {
    header.fail(
      `release ${String(header.raw('release'))} is not specified; these are: ${RELEASE_NAMES.join(', ')}`,
    );
  }
  return {
    release,
    platform: platformOf(header.object('platform')),
    credentials: credentialsOf(header.object('credentials')),
  };
};
