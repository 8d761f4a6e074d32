// SPDX-License-Identifier: MIT
// The DMA_AVAIL capability in the output of VFIO_IOMMU_GET_INFO.

import { decode } from '../../spec/abi/layout.ts';
import {
  CAP_DMA_AVAIL_ID,
  VFIO_CAP_DMA_AVAIL,
  VFIO_INFO_CAP_HEADER,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_INFO_CAPS,
  VFIO_IOMMU_TYPE1_INFO,
} from '../../spec/abi/vfio.ts';
import type { Call, Observation } from '../../spec/terms/call.ts';

/** The number of available maps in the reply; undefined if it has none. */
export const availableMapsIn = (call: Call, { memory }: Observation): number | undefined => {
  if (call.kind !== 'ioctl' || call.command !== VFIO_IOMMU_GET_INFO) return undefined;
  const bytes = memory[0]?.bytes ?? new Uint8Array();
  const { flags, cap_offset } = decode(VFIO_IOMMU_TYPE1_INFO, bytes);
  let at = (flags & VFIO_IOMMU_INFO_CAPS) === 0 ? 0 : cap_offset;
  // The kernel writes each capability after the one before it.
  while (at >= VFIO_IOMMU_TYPE1_INFO.size && at + VFIO_CAP_DMA_AVAIL.size <= bytes.length) {
    const rest = bytes.subarray(at);
    const { id, next } = decode(VFIO_INFO_CAP_HEADER, rest);
    if (id === CAP_DMA_AVAIL_ID) return decode(VFIO_CAP_DMA_AVAIL, rest).avail;
    if (next <= at) return undefined;
    at = next;
  }
  return undefined;
};
