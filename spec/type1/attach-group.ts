// SPDX-License-Identifier: MIT
// Attaching a group to a container whose type is set: vfio_iommu_type1_attach_group() in
// drivers/vfio/vfio_iommu_type1.c. Groups of one IOMMU share a domain. A new domain gets every map.

import { ERRNO } from '../abi/errno.ts';
import { PAGE_SIZE_BYTES } from '../abi/units.ts';
import { nodesOf, put } from '../collections/ordered-map.ts';
import { permissionsOf } from '../hardware/templates.ts';
import { type DmaNode, type Dmas, dmaLength, type Type1 } from '../state/container.ts';
import type { Memory } from '../state/memory.ts';
import type { World } from '../state/world.ts';
import type { Process } from '../terms/call.ts';
import type { IovaRange } from '../terms/platform.ts';
import type { Release } from '../terms/releases.ts';
import {
  isRefused,
  onlyWith,
  onlyWithout,
  type Refused,
  refused,
  refuses,
  rulesOf,
} from '../terms/rule.ts';
import { findDma } from './find-dma.ts';
import { type GroupOfIommu, hardwareOf } from './group-hardware.ts';
import { apertureConflicts, excluded, resized } from './iova-ranges.ts';
import { reach } from './reach.ts';

export const type1AttachGroupRules = rulesOf(
  {
    id: 'type1-attach-group',
    title: 'attaching a group to type1',
    source: 'vfio_iommu_type1_attach_group() in drivers/vfio/vfio_iommu_type1.c',
  },
  {
    vaddrInvalid: refuses('EBUSY', 'The vaddr of a map is invalid.'),
    nesting: onlyWithout(
      'type1NoNesting',
      refuses(
        'EINVAL',
        'The type is TYPE1_NESTING, and no IOMMU driver of x86-64 supports nesting.',
        'iommu_enable_nesting() in drivers/iommu/iommu.c',
      ),
    ),
    apertureConflicts: refuses(
      'EINVAL',
      'The aperture does not overlap the IOVA ranges of the container, or a map reaches outside the aperture.',
      'vfio_iommu_aper_conflict() in drivers/vfio/vfio_iommu_type1.c',
    ),
    reservedMapped: refuses(
      'EINVAL',
      'A map overlaps a range that a device of the group reserves.',
      'vfio_iommu_resv_conflict() in drivers/vfio/vfio_iommu_type1.c',
    ),
    noIovaLeft: refuses(
      'EINVAL',
      'The ranges that the group reserves leave no IOVA for maps.',
      'vfio_iommu_resv_exclude() in drivers/vfio/vfio_iommu_type1.c',
    ),
    interruptsNotIsolated: refuses(
      'EPERM',
      'The IOMMU does not isolate interrupts, and vfio_iommu_type1.allow_unsafe_interrupts is off.',
    ),
    beyondAperture: onlyWith(
      'apertureErange',
      refuses(
        'ERANGE',
        'The domain is the first, and an earlier map reaches outside its aperture.',
        'vfio_iommu_replay() in drivers/vfio/vfio_iommu_type1.c, the IOMMU driver below it',
      ),
    ),
    beyondApertureEfault: onlyWithout(
      'apertureErange',
      refuses(
        'EFAULT',
        'The domain is the first, and an earlier map reaches outside its aperture.',
        'vfio_iommu_replay() in drivers/vfio/vfio_iommu_type1.c, the IOMMU driver below it',
      ),
    ),
  },
);

export type Attached = {
  readonly type1: Type1;
  readonly memory: Memory;
  /** Memory of earlier maps was pinned. */
  readonly pinned: boolean;
};

/** The index of the map's first page that the domain cannot translate; undefined if it can translate all. */
const firstBeyond = ({ key, value }: DmaNode, aperture: IovaRange): number | undefined => {
  if (key < aperture.start) return 0;
  if (value.last <= aperture.last) return undefined;
  return key > aperture.last ? 0 : Number((aperture.last + 1n - key) / PAGE_SIZE_BYTES);
};

/** Pins and charges the memory of every map, as there was no domain before. */
const allReached = (
  { release, memory }: World,
  process: Process,
  dmas: Dmas,
  aperture: IovaRange,
): { readonly dmas: Dmas; readonly memory: Memory } | Refused => {
  let result = dmas;
  let left = memory;
  for (const node of nodesOf(dmas)) {
    const { vaddr, writable, process: charge } = node.value;
    const beyond = firstBeyond(node, aperture);
    const count = beyond === undefined ? Number(dmaLength(node) / PAGE_SIZE_BYTES) : beyond + 1;
    const reached = reach(left, { from: process, charge }, vaddr, count, writable);
    if (isRefused(reached)) return reached;
    if (beyond !== undefined) {
      const rule =
        release.type1.beyondAperture === ERRNO.EFAULT
          ? type1AttachGroupRules.beyondApertureEfault
          : type1AttachGroupRules.beyondAperture;
      // Contiguous pages are pinned together before any of them is mapped: pinning the rest may fail first.
      const rest = Number(dmaLength(node) / PAGE_SIZE_BYTES);
      const whole = reach(left, { from: process, charge }, vaddr, rest, writable);
      return isRefused(whole) ? { refused: rule, or: whole.refused } : refused(rule);
    }
    result = put(result, node.key, { ...node.value, reached: reached.spans });
    left = reached.memory;
  }
  return { dmas: result, memory: left };
};

/** The IOVA ranges of the container with a group of that hardware. */
const rangesWith = (
  release: Release,
  type1: Type1,
  { domain: { aperture }, reserved }: GroupOfIommu,
): readonly IovaRange[] | Refused => {
  if (apertureConflicts(release, type1, aperture)) {
    return refused(type1AttachGroupRules.apertureConflicts);
  }
  for (const { start, last } of reserved) {
    if (findDma(release, type1, start, last).kind === 'found') {
      return refused(type1AttachGroupRules.reservedMapped);
    }
  }
  const left = excluded(resized(type1.ranges, aperture), reserved);
  return left.length === 0 ? refused(type1AttachGroupRules.noIovaLeft) : left;
};

/** Attaches the group, for a process. On refusal nothing changes. */
export const attachGroup = (
  world: World,
  type1: Type1,
  group: number,
  process: Process,
): Attached | Refused => {
  const { memory } = world;
  if (type1.invalidVaddrs > 0) return refused(type1AttachGroupRules.vaddrInvalid);
  const hardware = hardwareOf(world.setting.platform, group);
  if (hardware.kind === 'emulated') {
    const emulatedGroups = [group, ...type1.emulatedGroups];
    return { type1: { ...type1, emulatedGroups }, memory, pinned: false };
  }
  if (type1.nesting) return refused(type1AttachGroupRules.nesting);
  const { domain } = hardware;
  const ranges = rangesWith(world.release, type1, hardware);
  if (isRefused(ranges)) return ranges;
  if (world.setting.platform.unsafeInterrupts?.type1 === false) {
    return refused(type1AttachGroupRules.interruptsNotIsolated);
  }

  const shared = type1.domains.findIndex((other) => other.domain.iommu === domain.iommu);
  if (shared >= 0) {
    const domains = type1.domains.map((other, index) =>
      index === shared ? { ...other, groups: [group, ...other.groups] } : other,
    );
    return { type1: { ...type1, ranges, domains }, memory, pinned: false };
  }
  const made = {
    domain: { ...domain, ...permissionsOf(hardware.iommu, world.release) },
    groups: [group],
  };
  const domains = [made, ...type1.domains];
  if (type1.domains.length > 0)
    return { type1: { ...type1, ranges, domains }, memory, pinned: false };
  const filled = allReached(world, process, type1.dmas, domain.aperture);
  if (isRefused(filled)) return filled;
  return {
    type1: { ...type1, ranges, domains, dmas: filled.dmas },
    memory: filled.memory,
    pinned: type1.dmas !== undefined,
  };
};
