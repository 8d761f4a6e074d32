// SPDX-License-Identifier: MIT
// What a kernel says of itself while a program runs: which of it matters, and which is known of the release.

import { deviationOfComplaint } from '../../spec/outcome/deviations.ts';
import type { DmaFault } from '../../spec/state/engines.ts';
import type { World } from '../../spec/state/world.ts';

/** Lines that begin a report of something that must never happen. */
const SERIOUS =
  /WARNING:|\bBUG[: ]|Oops|KASAN|UBSAN|general protection|possible .*(deadlock|recursive)|inconsistent lock|INFO: task .* blocked|refcount_t|DMAR:.*(fault|DRHD)|virtio_iommu .*fault from EP/;

export type Complaints = {
  /** Ids of known deviations that were seen. */
  readonly known: readonly string[];
  /** Every line, where one of them begins a report that is not known; empty otherwise. */
  readonly lines: readonly string[];
};

/** VT-d's report of an access that it refused; IOVAs are reported by page. */
const REFUSED_ACCESS =
  /DMAR: \[DMA (Read|Write)\b[^\]]*\] Request device \[([0-9a-f:.]+)\] fault addr (0x[0-9a-f]+)/;
/** A virtio-iommu's: the device as its bus, slot and function in one number; QEMU's does not report what it wanted. */
const REFUSED_BY_VIRTIO =
  /virtio_iommu \S+: page fault from EP (\d+) at (0x[0-9a-f]+) \[(R?)(W?)X?\]/;
/** The line before VT-d's. */
const REPORTS_FOLLOW = /DMAR: DRHD: handling fault status reg [0-9a-f]+/;

/** "00:04.0" of the number that has the bus above eight bits, the slot above three, and the function. */
const functionName = (number: number): string => {
  const byte = (value: number): string => value.toString(16).padStart(2, '0');
  return `${byte(number >> 8)}:${byte((number >> 3) & 31)}.${number & 7}`;
};

/** What a line says of an access: by which device ("00:04.0"), what it may have wanted, and at which IOVA. */
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

/** Whether the line reports an access that a transfer of the program must have had refused. */
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
 * The kernel's lines, sorted into what is known of the release and what is not, after a program that came into the
 * worlds, in their order. Reports of accesses by devices that had to be refused are no complaints. Not each is reported,
 * since the kernel limits how many are; and an IOMMU's interrupt may come when a later program runs, so that `earlier` are
 * those of the programs before.
 */
export const sortComplaints = (
  worlds: readonly [World, ...World[]],
  lines: readonly string[],
  earlier: readonly DmaFault[] = [],
): Complaints => {
  if (lines.length === 0) return { known: [], lines };
  const { setting, engines } = worlds[worlds.length - 1] as World;
  const faults = [...earlier, ...engines.faults];
  const known: string[] = [];
  let news = false;
  for (const line of lines) {
    if (!SERIOUS.test(line) || isCaused(line, faults)) continue;
    const deviation = deviationOfComplaint(setting.release, line, worlds);
    if (deviation === undefined) news = true;
    else known.push(deviation.id);
  }
  return { known, lines: news ? lines : [] };
};
