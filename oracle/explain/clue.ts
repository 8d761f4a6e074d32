// SPDX-License-Identifier: MIT
// What one line of a log, or the words of a command line, say of a call that failed.

import type { ErrnoName } from '../../spec/abi/errno.ts';
import type { CallName } from './calls.ts';
import type { CauseId } from './cause-id.ts';
import type { Path } from './path.ts';

/** The fields of the call, as far as the line has them. */
export type Fields = {
  readonly iova?: bigint;
  readonly size?: bigint;
  readonly vaddr?: bigint;
  /** RLIMIT_MEMLOCK in bytes, as the kernel's log has it. */
  readonly limit?: bigint;
  /** "12", or "noiommu-0" */
  readonly group?: string;
  /** "0000:65:00.0" */
  readonly device?: string;
};

/** What a line says beside call, error and fields. */
export type Hint =
  /** The range is memory of a guest. */
  | 'guest-memory'
  /** The range is a BAR. */
  | 'bar'
  | 'mdev'
  | 'no-iommu'
  /** Firmware wants a 1:1 mapping of the device. */
  | 'firmware'
  /** A container runtime started the program. */
  | 'container-runtime';

export const PROGRAMS = [
  'QEMU',
  'libvirt',
  'DPDK',
  'SPDK',
  'cloud-hypervisor',
  'crosvm',
  'the kernel',
  'strace',
] as const;

export type Program = (typeof PROGRAMS)[number];

export type Clue = {
  /** The line's number, from 1; 1 for the words of a command line. */
  readonly line: number;
  readonly text: string;
  readonly program?: Program;
  /** The calls that the line may be about; none if it names only a cause. */
  readonly calls: readonly CallName[];
  readonly errno?: ErrnoName;
  /** The paths that the line leaves possible; all of the calls' if absent. */
  readonly paths?: readonly Path[];
  readonly fields: Fields;
  readonly hints: ReadonlySet<Hint>;
  /** Causes that the line states itself. */
  readonly causes: ReadonlySet<CauseId>;
};

export const isAbout = ({ calls }: Clue, ...names: readonly CallName[]): boolean =>
  calls.length > 0 && calls.every((call) => names.includes(call));

/** The last IOVA of the range, inclusive; the first where the size is not known. */
export const lastIova = ({ iova, size }: Fields): bigint | undefined =>
  iova === undefined || size === undefined || size === 0n ? iova : iova + size - 1n;

/** Whether the range shares an IOVA with [start, last]; undefined if the line does not have the range. */
export const overlaps = (fields: Fields, start: bigint, last: bigint): boolean | undefined => {
  const end = lastIova(fields);
  if (fields.iova === undefined || end === undefined) return undefined;
  return fields.iova <= last && end >= start;
};
