// SPDX-License-Identifier: MIT
// Commands with the group and the device of the line in place of N and DEVICE.

import type { Fields } from './clue.ts';

/** "cat /sys/kernel/iommu_groups/12/reserved_regions", if the line has group 12. */
export const filledIn = (text: string, { group, device }: Fields): string => {
  const withGroup =
    group === undefined ? text : text.replaceAll(/(\/dev\/vfio|iommu_groups)\/N\b/g, `$1/${group}`);
  return device === undefined ? withGroup : withGroup.replaceAll(/\bDEVICE\b/g, device);
};
