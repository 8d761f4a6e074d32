// SPDX-License-Identifier: MIT
// Laws of legacy containers: how maps, groups and domains relate, what is charged, and what devices
// reach.

import { CONTAINER_LAWS, type Typed, typedOf } from '../../../model/laws/containers.ts';
import { valuesOf } from '../../../spec/collections/ordered-map.ts';
import { dmaLength } from '../../../spec/state/container.ts';
import { fileAt, openFile, type World } from '../../../spec/state/world.ts';
import {
  alwaysAll,
  checkLaws,
  compared,
  DOES_NOT_APPLY,
  refinement,
  sometimes,
} from '../../harness/law.ts';
import type { Visit } from '../../harness/visits.ts';
import { worldDifference } from '../../helpers/comparable.ts';
import { continued, ifAllSucceed } from '../../helpers/continue.ts';
import { vfio } from '../../helpers/operations.ts';

const typedBehind = ({ call, before, after }: Visit): (Typed & { fd: bigint }) | undefined => {
  if (call.kind !== 'ioctl') return undefined;
  const id = fileAt(before, call.process, call.fd);
  const file = id === undefined ? undefined : openFile(after, id);
  if (file?.kind !== 'container') return undefined;
  for (const typed of typedOf(after)) {
    if (typed.container.file === id) return { ...typed, fd: BigInt(call.fd) };
  }
  return undefined;
};

/** A map that is unmapped at once leaves everything as it was. */
const unmapUndoesMap = refinement('an unmap undoes a map', 30, (visit) => {
  const { rule, before, after } = visit;
  const typed = typedBehind(visit);
  if (rule?.id !== 'type1-map-dma/maps' || typed === undefined) return DOES_NOT_APPLY;
  const id = typed.container.file;
  const [was] = [...typedOf(before)].filter(({ container }) => container.file === id);
  const made = typed.maps.find(({ key }) => was?.maps.every((other) => other.key !== key));
  if (made === undefined) return DOES_NOT_APPLY;
  const unmap = vfio('unmap', typed.fd, 'VFIO_IOMMU_UNMAP_DMA', {
    iova: made.key,
    size: dmaLength(made),
  });
  const undone = ifAllSucceed(after, [unmap]);
  return undone === undefined
    ? { kind: 'differs', how: 'it cannot be unmapped' }
    : compared(worldDifference(before, undone));
});

/** To unmap everything is to unmap each map. */
const allIsEach = refinement('ALL unmaps each map', 20, (visit) => {
  const typed = typedBehind(visit);
  if (visit.index % 3 !== 0 || typed === undefined || typed.maps.length < 2) return DOES_NOT_APPLY;
  const unmap = (flags: bigint, iova: bigint, size: bigint) =>
    vfio('unmap', typed.fd, 'VFIO_IOMMU_UNMAP_DMA', { flags, iova, size });
  const all = continued(visit.after, [unmap(2n, 0n, 0n)]);
  const each = continued(
    visit.after,
    typed.maps.map((node) => unmap(0n, node.key, dmaLength(node))),
  );
  return compared(worldDifference(all.world, each.world));
});

const happens = (name: string, seen: (typed: Typed, world: World) => boolean) =>
  sometimes(name, ({ after }) => [...typedOf(after)].some((typed) => seen(typed, after)));

checkLaws('legacy containers', [
  ...alwaysAll(CONTAINER_LAWS),
  unmapUndoesMap,
  allIsEach,
  happens(
    'two domains have maps',
    ({ type1, maps }) => type1.domains.length > 1 && maps.length > 0,
  ),
  happens('two groups share a domain', ({ type1 }) =>
    type1.domains.some(({ groups }) => groups.length > 1),
  ),
  happens(
    'there are maps without a domain',
    ({ type1, maps }) => type1.domains.length === 0 && maps.length > 1,
  ),
  happens('dirty pages are tracked', ({ type1, maps }) => type1.tracksDirty && maps.length > 0),
  happens('an address is invalid', ({ type1 }) => type1.invalidVaddrs > 0),
  happens('a v1 container has maps', ({ type1, maps }) => type1.version === 1 && maps.length > 2),
  happens('a BAR is mapped', ({ maps }) =>
    maps.some(({ value }) => value.reached?.some(({ kind }) => kind === 'device') ?? false),
  ),
  happens('a container has no descriptor any more', ({ container }, world) =>
    [...valuesOf(world.processes)].every(({ descriptors }) =>
      [...valuesOf(descriptors)].every((file) => file !== container.file),
    ),
  ),
]);
