// SPDX-License-Identifier: MIT
// Removes what a program left, and probes in between: what stays pinned then, and by which users,
// shows what no earlier call does.

import { U64_MAX } from '../../spec/abi/units.ts';
import { VFIO_GROUP_UNSET_CONTAINER } from '../../spec/abi/vfio.ts';
import type { GenContext } from '../generate/gen-context.ts';
import { nativeCall } from '../generate/native-call.ts';

/** At most so many groups leave, so that most calls are still generated ones. */
const MOST_LEAVING = 2;

/**
 * Groups with an IOMMU leave a legacy container that has other groups: then their pins and dirty
 * pages show.
 */
export const leaveContainers = (gen: GenContext, probe: () => void): void => {
  const emulated = new Set(
    gen.platform.devices.flatMap(({ iommu, group }) => (iommu === 'none' ? [group] : [])),
  );
  const joined = gen.descriptorsOf('group').filter(({ file }) => gen.isInLegacyContainer(file));
  if (joined.length < 2) return;
  const leaving = joined.filter(({ file }) => !emulated.has(file.group)).slice(0, MOST_LEAVING);
  for (const { value } of leaving) gen.plain('leave', value, VFIO_GROUP_UNSET_CONTAINER, 0n);
  if (leaving.length > 0) probe();
};

/**
 * Destroys the mock devices first, so that only accesses have pages pinned, and then unmaps
 * everything.
 */
export const takeDown = (gen: GenContext, probe: () => void): void => {
  for (const { context, value } of gen.iommufds()) {
    if (context.untracked !== undefined) continue;
    const devices = gen.objectIds(context, 'selftest');
    for (const id of devices) {
      nativeCall(gen, 'end', value, 'IOMMU_DESTROY', { id: gen.named(context, id) });
    }
    if (devices.length > 0) probe();
    for (const id of gen.objectIds(context, 'ioas')) {
      nativeCall(gen, 'end', value, 'IOMMU_IOAS_UNMAP', {
        ioas_id: gen.named(context, id),
        iova: 0n,
        length: U64_MAX,
      });
    }
    probe();
  }
};
