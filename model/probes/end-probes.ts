// SPDX-License-Identifier: MIT
// Takes down what a program left, and says when to probe: what then stays pinned, and by whom, shows what no
// call before does.

import { U64_MAX } from '../../spec/abi/units.ts';
import { VFIO_GROUP_UNSET_CONTAINER } from '../../spec/abi/vfio.ts';
import type { GenContext } from '../generate/gen-context.ts';
import { nativeCall } from '../generate/native-call.ts';

/** The most groups that leave, so that most calls are still those that were generated. */
const MOST_LEAVING = 2;

/** Groups with an IOMMU leave a legacy container in which others stay: what they held and wrote shows then. */
export const leaveContainers = (gen: GenContext, look: () => void): void => {
  const emulated = new Set(
    gen.platform.devices.flatMap(({ iommu, group }) => (iommu === 'none' ? [group] : [])),
  );
  const joined = gen.descriptorsOf('group').filter(({ file }) => gen.isInLegacyContainer(file));
  if (joined.length < 2) return;
  const leaving = joined.filter(({ file }) => !emulated.has(file.group)).slice(0, MOST_LEAVING);
  for (const { value } of leaving) gen.plain('leave', value, VFIO_GROUP_UNSET_CONTAINER, 0n);
  if (leaving.length > 0) look();
};

/** Mock devices go first, so that only accesses have pages pinned, and then all that is mapped. */
export const takeDown = (gen: GenContext, look: () => void): void => {
  for (const { context, value } of gen.iommufds()) {
    if (context.untracked !== undefined) continue;
    const devices = gen.objectIds(context, 'selftest');
    for (const id of devices) {
      nativeCall(gen, 'end', value, 'IOMMU_DESTROY', { id: gen.named(context, id) });
    }
    if (devices.length > 0) look();
    for (const id of gen.objectIds(context, 'ioas')) {
      nativeCall(gen, 'end', value, 'IOMMU_IOAS_UNMAP', {
        ioas_id: gen.named(context, id),
        iova: 0n,
        length: U64_MAX,
      });
    }
    look();
  }
};
