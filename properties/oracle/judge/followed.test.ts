// SPDX-License-Identifier: MIT
// Recordings that follow the program's memory, descriptors and processes: they decide calls that
// would be unknown otherwise.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { judgeFile } from '../../../oracle/cli/judge-file.ts';
import type { FileResult } from '../../../oracle/report/summary.ts';
import { encode, type Layout } from '../../../spec/abi/layout.ts';
import * as native from '../../../spec/abi/native.ts';
import { MD_CHECK_MAP, MOCK_DOMAIN } from '../../../spec/abi/test.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'properties-followed-'));
const PAGE = 4096n;
/** The start of the mock domains' aperture. */
const IOVA = 0x100_0000n;
const AT = 0x7f00_0000_0000n;
const STRUCT = '0x7ffc00001000';
const EFAULT = 14;
const EINVAL = 22;

type Line = Readonly<Record<string, unknown>>;

const header = (version: number): Line => ({
  format: 'iommufd-recording',
  version,
  release: '7.3.4',
  arch: 'x86-64',
  pageSize: 4096,
  privileged: true,
  platform: { name: 'mock' },
  program: 'written by hand',
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const text = (value: bigint): string => `0x${value.toString(16)}`;

type Fields = Readonly<Record<string, number | bigint>>;

/** A call on descriptor 3; `after` are fields that the kernel wrote. */
const ioctl = (
  cmd: number,
  layout: Layout,
  before: Fields,
  {
    after = {},
    errno = 0,
    ...more
  }: { after?: Fields; errno?: number; [name: string]: unknown } = {},
): Line => {
  const size = layout.size;
  const passed = { size, ...before };
  return {
    fd: 3,
    path: '/dev/iommu',
    call: 'ioctl',
    cmd: text(BigInt(cmd)),
    arg: STRUCT,
    in: hex(encode(layout, passed)),
    ret: errno === 0 ? 0 : -1,
    errno,
    out: hex(encode(layout, { ...passed, ...after })),
    ...more,
  };
};

const OPEN: Line = { fd: 3, path: '/dev/iommu', call: 'open' };
const ALLOC = ioctl(0x3b81, native.IOMMU_IOAS_ALLOC, {}, { after: { out_ioas_id: 1 } });

const mmap = (address: bigint, pages: bigint, perm = 'rw-p'): Line => ({
  call: 'mmap',
  addr: text(address),
  length: text(pages * PAGE),
  perm,
  backing: 'anonymous',
});
const munmap = (address: bigint, pages: bigint): Line => ({
  call: 'munmap',
  addr: text(address),
  length: text(pages * PAGE),
});

const FIXED_READ_WRITE = 7;

const map = (address: bigint): Line =>
  ioctl(
    0x3b85,
    native.IOMMU_IOAS_MAP,
    { flags: FIXED_READ_WRITE, ioas_id: 1, user_va: address, length: PAGE, iova: IOVA },
    { vmas: [{ start: text(address), end: text(address + PAGE), perm: 'rw-p' }] },
  );

const attach = (errno: number): Line =>
  ioctl(
    0x3ba0,
    MOCK_DOMAIN,
    { op: 2, id: 1 },
    {
      errno,
      after: errno === 0 ? { out_stdev_id: 2, out_hwpt_id: 4, out_idev_id: 3 } : {},
    },
  );

const judged = async (
  version: number,
  lines: readonly Line[],
  more: Line = {},
): Promise<FileResult> => {
  const file = join(FOLDER, 'recording.jsonl');
  const counts = new Map<unknown, number>();
  const numbered = lines.map((line): Line => {
    const { pid = 7 } = line;
    const seq = counts.get(pid) ?? 0;
    counts.set(pid, seq + 1);
    return { seq, pid, ...line };
  });
  const all = [{ ...header(version), ...more }, ...numbered];
  writeFileSync(file, `${all.map((line) => JSON.stringify(line)).join('\n')}\n`);
  const { signal } = new AbortController();
  const result = await judgeFile(file, { verbosity: 'brief', signal, onProgress: () => {} });
  assert.is(result.badInput, undefined);
  return result;
};

const followed = suite('followed recordings');

followed.after(() => rmSync(FOLDER, { recursive: true }));

/** The verdict on the last line. */
const ends = async (version: number, lines: readonly Line[]): Promise<string> => {
  const before = await judged(version, lines.slice(0, -1));
  const after = await judged(version, lines);
  const kinds = Object.entries(after.counts).filter(
    ([kind, count]) => count !== before.counts[kind as keyof typeof before.counts],
  );
  return kinds.map(([kind]) => kind).join();
};

followed('memory that is still there must be pinned', async () => {
  const start = [OPEN, ALLOC, mmap(AT, 1n), map(AT)];
  assert.is(await ends(2, [...start, attach(0)]), 'conforms');
  assert.is(await ends(2, [...start, attach(EFAULT)]), 'violation');
  const without = [OPEN, ALLOC, map(AT)];
  assert.is(await ends(1, [...without, attach(EFAULT)]), 'unknown');
});

followed('memory that is gone cannot be pinned', async () => {
  const start = [OPEN, ALLOC, mmap(AT, 1n), map(AT), munmap(AT, 1n)];
  assert.is(await ends(2, [...start, attach(EFAULT)]), 'conforms');
  assert.is(await ends(2, [...start, attach(0)]), 'violation');
});

const check = (errno: number): Line =>
  ioctl(0x3ba0, MD_CHECK_MAP, { op: 3, id: 4, iova: IOVA, length: PAGE, uptr: AT }, { errno });

followed(
  'memory that was moved, protected or given up is known again, or known to be other',
  async () => {
    const start = [OPEN, ALLOC, mmap(AT - PAGE, 3n), map(AT), attach(0)];
    assert.is(await ends(2, [...start, check(0)]), 'conforms');
    assert.is(await ends(2, [...start, check(EINVAL)]), 'violation');
    const away = { call: 'mremap', addr: text(AT), length: text(PAGE), to: text(AT + 8n * PAGE) };
    const back = { call: 'mremap', addr: text(AT + 8n * PAGE), length: text(PAGE), to: text(AT) };
    const same = { toLength: text(PAGE), keeps: false };
    assert.is(
      await ends(2, [...start, { ...away, ...same }, { ...back, ...same }, check(0)]),
      'conforms',
    );
    const protect = { call: 'mprotect', addr: text(AT), length: text(PAGE), perm: 'r--' };
    assert.is(await ends(2, [...start, protect, check(EINVAL)]), 'violation');
    const given = { call: 'madvise', addr: text(AT), length: text(PAGE), advice: 'DONTNEED' };
    assert.is(await ends(2, [...start, given, check(EINVAL)]), 'unknown');
  },
);

followed('the file that IOAS_MAP_FILE maps is the one that is mapped elsewhere', async () => {
  const mapFile = (file: number): Line =>
    ioctl(
      0x3b8f,
      native.IOMMU_IOAS_MAP_FILE,
      { flags: FIXED_READ_WRITE, ioas_id: 1, fd: 5, start: PAGE, length: PAGE, iova: IOVA },
      { backing: 'memory-file', file, size: text(4n * PAGE) },
    );
  const shared = { ...mmap(AT, 1n, 'rw-s'), backing: 'memory-file', file: 0, offset: text(PAGE) };
  const start = [OPEN, ALLOC, shared];
  assert.is(await ends(2, [...start, mapFile(0)]), 'conforms');
  assert.is(await ends(2, [...start, mapFile(0), attach(0), check(0)]), 'conforms');
  assert.is(await ends(2, [...start, mapFile(0), attach(0), check(EINVAL)]), 'violation');
  assert.is(await ends(2, [...start, mapFile(1), attach(0), check(EINVAL)]), 'unknown');
});

const destroy = (more: Line, id: number): Line => ({
  ...ioctl(0x3b80, native.IOMMU_DESTROY, { id }),
  ...more,
});

followed('a copy of a descriptor means the same file, and outlives the first', async () => {
  const copy = { call: 'dup', fd: 9, path: '/dev/iommu', from: 3 };
  const closed = { fd: 3, path: '/dev/iommu', call: 'close' };
  const lines = [OPEN, ALLOC, copy, closed, destroy({ fd: 9 }, 1)];
  assert.is(await ends(2, lines), 'conforms');
});

followed("a child inherits its parent's descriptors, and its end closes only its own", async () => {
  const fork = { call: 'fork', child: 8 };
  const exit = { call: 'exit', pid: 8 };
  const start = [OPEN, ALLOC, fork];
  assert.is(await ends(2, [...start, destroy({ pid: 8 }, 1)]), 'conforms');
  assert.is(await ends(2, [...start, exit, destroy({}, 1)]), 'conforms');
});

followed('the group of an mdev can be opened', async () => {
  const devices = [{ bdf: '83b8f4f2-509f-382f-3c1e-e6bfe0fa1001', group: 3, iommu: 'none' }];
  const open = { fd: 3, path: '/dev/vfio/3', call: 'open' };
  const { counts } = await judged(2, [open], { platform: { name: 'mdev', devices } });
  assert.is(counts.conforms, 1);
});

const FIXTURES = join('properties', 'fixtures', 'followed');

for (const name of readdirSync(FIXTURES).sort()) {
  followed(`${name} has no violation, and nothing of it is unknown`, async () => {
    const { signal } = new AbortController();
    const options = { verbosity: 'brief', signal, onProgress: () => {} } as const;
    const { badInput, violation, counts } = await judgeFile(join(FIXTURES, name), options);
    assert.is(badInput, undefined);
    assert.is(violation, undefined);
    assert.is(counts.unknown, 0);
    assert.ok(counts.conforms > 0);
  });
}

followed.run();
