// SPDX-License-Identifier: MIT
// Reads /proc of a stopped process: descriptors, mappings and capabilities.

import { readdirSync, readFileSync, readlinkSync, statfsSync, statSync } from 'node:fs';

const isGone = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  /^(ENOENT|ESRCH|EACCES|EINVAL)$/.test(String(error.code));

const orElse = <Value>(read: () => Value, otherwise: Value): Value => {
  try {
    return read();
  } catch (error) {
    if (isGone(error)) return otherwise;
    throw error;
  }
};

/** The target of a descriptor: a path, or "anon_inode:[vfio-device]" and the like; empty if it is not open. */
export const pathOf = (process: number, fd: number): string =>
  orElse(() => readlinkSync(`/proc/${process}/fd/${fd}`), '');

const RECORDED = /^\/dev\/iommu$|^\/dev\/vfio\/|^anon_inode:\[(vfio|iommufd)/;

/** Whether calls on files with this path are recorded. */
export const isRecorded = (path: string): boolean => RECORDED.test(path);

/** The open descriptors that are recorded, with their paths. */
export const recordedDescriptors = (process: number): ReadonlyMap<number, string> => {
  const names = orElse(() => readdirSync(`/proc/${process}/fd`), []);
  const found = new Map<number, string>();
  for (const name of names) {
    const path = pathOf(process, Number(name));
    if (isRecorded(path)) found.set(Number(name), path);
  }
  return found;
};

export type MappedRange = {
  readonly start: bigint;
  /** Exclusive. */
  readonly end: bigint;
  /** "rw-p" */
  readonly perm: string;
};

/** All mappings, by ascending address. */
export const mappingsOf = (process: number): readonly MappedRange[] =>
  orElse(() => readFileSync(`/proc/${process}/maps`, 'latin1'), '')
    .split('\n')
    .flatMap((line) => {
      const found = /^([0-9a-f]+)-([0-9a-f]+) (....) /.exec(line);
      return found === null
        ? []
        : [
            {
              start: BigInt(`0x${found[1]}`),
              end: BigInt(`0x${found[2]}`),
              perm: found[3] as string,
            },
          ];
    });

const statusField = (thread: number, name: string): string =>
  new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(
    orElse(() => readFileSync(`/proc/${thread}/status`, 'latin1'), ''),
  )?.[1] ?? '';

/** The process that a thread belongs to. */
export const processOf = (thread: number): number => Number(statusField(thread, 'Tgid')) || thread;

export const hasEveryCapability = (process: number): boolean => {
  const last = Number(orElse(() => readFileSync('/proc/sys/kernel/cap_last_cap', 'latin1'), '63'));
  return BigInt(`0x${statusField(process, 'CapEff') || '0'}`) === (1n << BigInt(last + 1)) - 1n;
};

/** File systems whose files are memory: tmpfs and hugetlbfs. */
const MEMORY_FILE_SYSTEMS = new Set([0x0102_1994, 0x9584_58f6]);

export type MappedFile = {
  readonly kind: 'memory-file' | 'file';
  /** The same for every descriptor of one file. */
  readonly identity: string;
  /** Bytes. */
  readonly size: bigint;
};

export const fileOf = (process: number, fd: number): MappedFile | undefined =>
  orElse(() => {
    const link = `/proc/${process}/fd/${fd}`;
    const { dev, ino, size } = statSync(link, { bigint: true });
    const kind = MEMORY_FILE_SYSTEMS.has(statfsSync(link).type) ? 'memory-file' : 'file';
    return { kind, identity: `${dev}:${ino}`, size } as const;
  }, undefined);
