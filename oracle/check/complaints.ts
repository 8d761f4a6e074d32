// SPDX-License-Identifier: MIT
// The kernel's log during a program: which lines matter, and which are known deviations of the release.

import { deviationOfComplaint } from '../../spec/outcome/deviations.ts';
import type { DmaFault } from '../../spec/state/engines.ts';
import type { World } from '../../spec/state/world.ts';

/** Lines that begin the report of a bug. */
const SERIOUS =
  /WARNING:|\bBUG[: ]|Oops|KASAN|UBSAN|general protection|possible .*(deadlock|recursive)|inconsistent lock|INFO: task .* blocked|refcount_t|DMAR:.*(fault|DRHD)|virtio_iommu .*fault from EP/;

export type Complaints = {
  /** Ids of the known deviations that occurred. */
  readonly known: readonly string[];
  /** All lines, if one of them begins a report that is not known; else empty. */
  readonly lines: readonly string[];
};

/** VT-d's report of a DMA fault; the IOVA is that of the page. */
const REFUSED_ACCESS =
  /DMAR: \[DMA (Read|Write)\b[^\]]*\] Request device \[([0-9a-f:.]+)\] fault addr (0x[0-9a-f]+)/;
/** virtio-iommu's report: bus, slot and function of the device in one number; QEMU does not report the kind of access. */
const REFUSED_BY_VIRTIO =
  /virtio_iommu \S+: page fault from EP (\d+) at (0x[0-9a-f]+) \[(R?)(W?)X?\]/;
/** The line before VT-d's report. */
const REPORTS_FOLLOW = /DMAR: DRHD: handling fault status reg [0-9a-f]+/;

/** "00:04.0" of a number with the bus in bits 8 and up, the slot in bits 3 to 7, and the function in bits 0 to 2. */
const functionName = (number: number): string => {
  const byte = (value: number): string => value.toString(16).padStart(2, '0');
  return `${byte(number >> 8)}:${byte((number >> 3) & 31)}.${number & 7}`;
};

/** A reported DMA fault: the device ("00:04.0"), the possible kinds of access, and the IOVA. */
const refusedAccess = (line: string) => {
  const [, kind, device, page] = REFUSED_ACCESS.exec(line) ?? [];
  if (kind !== undefined && device !== undefined && page !== undefined) {
    return { device, directions: [kind.toLowerCase()], address: page };
  }
  const [, endpoint, address, reads, writes] = REFUSED_BY_VIRTIO.exec(line) ?? [];
  if (endpoint === undefined || address === undefined) return undefined;
  const reported = [...(reads ? ['read'] : []), ...(writes ? ['write'] : [])];
  const directions = reported.length > 0 ? reported : ['read', 'write'];
  return { device: functionName(Number(endpoint)), directions, address };
};

/** Whether the line reports a fault that a transfer of the program must have caused. */
const isCaused = (line: string, faults: readonly DmaFault[]): boolean => {
  if (REPORTS_FOLLOW.test(line)) return faults.length > 0;
  const refused = refusedAccess(line);
  if (refused === undefined) return false;
  const page = BigInt(refused.address) & ~0xfffn;
  return faults.some(
    (fault) =>
      fault.device.endsWith(refused.device) &&
      refused.directions.includes(fault.direction) &&
      fault.page === page,
  );
};

/**
 * Sorts the kernel's lines into known deviations of the release and complaints, after a program that went through the
 * worlds in order. Reports of expected DMA faults are not complaints. The kernel limits their rate, so some are
 * missing; and an IOMMU's interrupt may come while a later program runs: `earlier` has the faults of programs before.
 */
export const sortComplaints = (
  worlds: readonly [World, ...World[]],
  lines: readonly string[],
  earlier: readonly DmaFault[] = [],
): Complaints => {
  if (lines.length === 0) return { known: [], lines };
  const { release, engines } = worlds[worlds.length - 1] as World;
  const faults = [...earlier, ...engines.faults];
  const known: string[] = [];
  let news = false;
  for (const line of lines) {
    if (!SERIOUS.test(line) || isCaused(line, faults)) continue;
    const deviation = deviationOfComplaint(release, line, worlds);
    if (deviation === undefined) news = true;
    else known.push(deviation.id);
  }
  return { known, lines: news ? lines : [] };
};
