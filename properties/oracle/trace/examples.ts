// SPDX-License-Identifier: MIT
// A line of each kind of every format, with every possible field; the tests of reading change them.

const RECORDING = {
  format: 'iommufd-recording',
  release: '7.3.4',
  arch: 'x86-64',
  pageSize: 4096,
  privileged: true,
};

export const RECORDING_HEADERS = [
  { ...RECORDING, version: 3, platform: { name: 'mock' }, program: 'by hand', exit: 0 },
  { ...RECORDING, version: 1, platform: { name: 'mock' } },
  {
    ...RECORDING,
    version: 2,
    platform: {
      name: 'virtio',
      driver: 'virtio',
      pageSizes: '0x1000',
      aperture: ['0x0', '0xffff'],
      reserved: [['0x10', '0x20']],
      cacheCoherency: false,
      devices: [
        { bdf: '0000:00:04.0', group: 4, cdev: 0 },
        { bdf: '0000:00:05.0', group: 5, iommu: 'none' },
      ],
    },
  },
  {
    ...RECORDING,
    version: 2,
    platform: { name: 'mdev', devices: [{ bdf: 'mtty', group: 0, cdev: 0, iommu: 'none' }] },
  },
  {
    ...RECORDING,
    version: 2,
    platform: { name: 'noiommu', devices: [{ bdf: 'a', group: 0, iommu: 'noiommu' }] },
  },
] as const;

const BY = { seq: 0, pid: 7, tid: 8 };
const ON = { ...BY, fd: 3, path: '/dev/iommu' };
const PLACE = { addr: '0x7f0000000000', length: '0x1000' };
const VMAS = [
  { start: '0x1000', end: '0x2000', perm: 'r--p' },
  { start: '0x2000', end: '0x4000', perm: 'rw-s' },
];

/** Of version 3; each may be the second line. */
export const RECORDED_LINES = [
  { ...ON, call: 'open' },
  { ...ON, call: 'close' },
  {
    ...ON,
    call: 'ioctl',
    cmd: '0x3b84',
    arg: '0x7ffc00001000',
    in: '0c00ff',
    mem: { addr: '0x7ffc00002000', in: '00' },
    vmas: VMAS,
    ret: 0,
    errno: 0,
    out: '0c0000',
    memOut: 'ff',
  },
  {
    ...ON,
    call: 'ioctl',
    cmd: '0x3b8f',
    arg: '0x7ffc00001000',
    in: '0c00ff',
    backing: 'memory-file',
    file: 0,
    size: '0x1000',
    ret: -1,
    errno: 22,
    out: '0c00ff',
  },
  { ...BY, call: 'mmap', ...PLACE, perm: 'rw-p', backing: 'memory-file', file: 1, offset: '0x0' },
  { ...BY, call: 'munmap', ...PLACE },
  { ...BY, call: 'mprotect', ...PLACE, perm: 'r--' },
  { ...BY, call: 'mremap', ...PLACE, to: '0x7e0000000000', toLength: '0x2000', keeps: false },
  { ...BY, call: 'madvise', ...PLACE, advice: 'DONTNEED' },
  { ...BY, call: 'exec', vmas: VMAS },
  { ...BY, call: 'fork', child: 9 },
  { ...BY, call: 'exit' },
  { ...ON, call: 'dup', from: 4 },
  { call: 'end', exit: 0, lines: 0, cut: 'no space left on device' },
] as const;

const SETTING = {
  release: '7.3.4',
  platform: {
    name: 'by hand',
    iommus: [
      {
        pageSizes: '0x1000',
        aperture: ['0x0', '0xffff'],
        enforcesCacheCoherency: true,
        driver: 'virtio',
      },
    ],
    devices: [
      { name: 'a', group: 4, cdev: 0, iommu: 0, reserved: [['0x10', '0x20']], dmaEngine: true },
      { name: 'b', group: 5, iommu: 'none', reserved: [] },
    ],
    testCommands: true,
    mockDevices: true,
    noIommuConfigured: true,
    noIommuEnabled: false,
    unsafeInterrupts: { type1: true, iommufd: false },
    groupsInUse: [5],
    memoryKinds: ['device', 'huge'],
    dmaEntryLimit: 65535,
  },
  credentials: { privileged: false, memlockLimit: '0x40000', lockedBefore: 3 },
};

export const TRACE_HEADERS = [
  {
    format: 'iommufd-trace',
    version: 3,
    ...SETTING,
    arena: '0x700000000000',
    seed: -7,
    subject: 'emulator',
    defects: ['cut-off-by-one'],
  },
] as const;

const label = 'a';
const DONE = { result: 0, errno: 0, memory: [] };
const AT = '0x700000000000';
const STRUCT = { address: AT, bytes: '0c0000000000000000000000' };

/** Each is the first operation of its trace, or the last line. */
export const TRACED_LINES = [
  {
    operation: { op: 'open', label, path: '/dev/iommu' },
    call: { kind: 'open', path: '/dev/iommu' },
    observation: { result: 3, errno: 0, memory: [] },
  },
  {
    operation: { op: 'close', label, fd: '0x3' },
    call: { kind: 'close', fd: 3 },
    observation: { result: -1, errno: 9, memory: [] },
  },
  {
    operation: {
      op: 'ioctl',
      label,
      fd: { from: 'none', out: 'result' },
      command: '0x3b81',
      argument: {
        kind: 'struct',
        at: { arena: '0x0' },
        layout: 'IOMMU_IOAS_ALLOC',
        fields: { size: '0xc' },
        length: 8,
        tail: '00000000',
        also: [{ at: { arena: '0x1000' }, words: ['0x1', { arena: '-0x1000' }] }],
      },
    },
    call: {
      kind: 'ioctl',
      fd: 0,
      command: '0x3b81',
      argument: AT,
      memory: [STRUCT, { address: '0x700000001000', bytes: '' }],
    },
    observation: {
      result: 0,
      errno: 0,
      memory: [STRUCT, { address: '0x700000001000', bytes: '' }],
    },
  },
  {
    operation: {
      op: 'ioctl',
      label,
      fd: '0x0',
      command: '0x3b64',
      argument: { kind: 'plain', value: '0x1' },
    },
    call: { kind: 'ioctl', fd: 0, command: '0x3b64', argument: '0x1', memory: [] },
    observation: DONE,
  },
  {
    operation: {
      op: 'ioctl',
      label,
      fd: '0x0',
      command: '0x3b68',
      argument: { kind: 'bytes', at: { arena: '0x0' }, hex: '03000000' },
    },
    call: {
      kind: 'ioctl',
      fd: 0,
      command: '0x3b68',
      argument: AT,
      memory: [{ address: AT, bytes: '03000000' }],
    },
    observation: { ...DONE, memory: [{ address: AT, bytes: '03000000' }] },
  },
  {
    operation: { op: 'memfd', label, length: '0x1000' },
    call: { kind: 'memfd', length: '0x1000' },
    observation: { ...DONE, result: 3 },
  },
  {
    operation: {
      op: 'mmap',
      label,
      offset: '0x1000',
      length: '0x2000',
      protection: 'read-write',
      shared: true,
      backing: { kind: 'memfd', fd: '0x3', offset: '0x800' },
    },
    call: {
      kind: 'mmap',
      address: '0x700000001000',
      length: '0x2000',
      protection: 'read-write',
      shared: true,
      backing: { kind: 'memfd', fd: 3, offset: '0x800' },
    },
    observation: DONE,
  },
  {
    operation: {
      op: 'mmap',
      label,
      offset: '0x1000',
      length: '0x2000',
      protection: 'none',
      shared: false,
      backing: { kind: 'anonymous' },
    },
  },
  {
    operation: { op: 'munmap', label, offset: '0x1000', length: '0x1000' },
    call: { kind: 'munmap', address: '0x700000001000', length: '0x1000' },
    observation: DONE,
  },
  {
    operation: { op: 'store', label, offset: '-0x10', hex: 'ff00' },
    call: { kind: 'store', memory: { address: '0x6ffffffffff0', bytes: 'ff00' } },
    observation: DONE,
  },
  {
    operation: {
      op: 'dma',
      label,
      fd: '0x0',
      direction: 'write',
      iova: '0x1000',
      length: 1,
      look: '0x0',
    },
    call: {
      kind: 'dma',
      fd: 0,
      direction: 'write',
      iova: '0x1000',
      length: 1,
      memory: [{ address: AT, bytes: '00' }],
    },
    observation: { ...DONE, memory: [{ address: AT, bytes: '00' }] },
  },
  {
    operation: { op: 'status', label, field: 'VmLck' },
    call: { kind: 'status', field: 'VmLck' },
    observation: DONE,
  },
  { failure: null },
  {
    failure: {
      kind: 'reply',
      allowed: [
        {
          rule: 'a/rule',
          differences: [
            { in: 'result', expected: '0', observed: '-1 EINVAL' },
            { in: 'memory', address: AT, expected: '00', observed: 'ff' },
            { in: 'choice', what: 'an IOVA', value: '0x1', why: 'it is taken' },
          ],
        },
      ],
    },
  },
  {
    failure: {
      kind: 'hidden',
      differences: [
        { where: 'pins', expected: '1', observed: '2', at: { fd: 3, hwpt: 1, iova: '0x0' } },
      ],
    },
  },
  { failure: { kind: 'complaint', lines: ['WARNING'] } },
  { failure: { kind: 'death', said: 'BUG' } },
] as const;

export const REPORTS = [
  {
    format: 'iommufd-check-report',
    version: 2,
    asked: {
      subject: 'emulator',
      seed: 7,
      runs: 2,
      seconds: 1,
      length: 40,
      paths: 'all',
      dma: 0,
      guided: false,
      defects: ['cut-off-by-one'],
    },
    shards: { held: [1, 2], of: 3 },
    milliseconds: 12,
    campaigns: [
      {
        ...SETTING,
        runs: 2,
        calls: 6,
        failing: 1,
        verdicts: { conforms: 1, deviation: 1, unknown: 1, unspecified: 2, violation: 1 },
        rules: { 'a/rule': 2 },
        knownComplaints: { a: 1 },
        interrupted: false,
        shrinks: 3,
        at: { batch: 0, index: 1 },
        trace: [JSON.stringify(TRACE_HEADERS[0]), '{"failure":null}'],
      },
    ],
  },
] as const;
