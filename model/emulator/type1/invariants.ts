// SPDX-License-Identifier: MIT
// What must hold in a legacy container between two calls: every domain translates exactly the dmas;
// memory is pinned and charged once for each dma, and not pinned without a domain.

import { PAGE_SIZE_BYTES } from '../../../spec/abi/units.ts';
import type { Kernel } from '../kernel.ts';
import { wraps } from './dma.ts';
import type { Type1Iommu } from './type1-iommu.ts';

/** The pins and charges of a container's dmas. */
export type Type1Uses = {
  readonly violations: readonly string[];
  /** Pinned frames, repeated once for each pin. */
  readonly frames: readonly number[];
};

const checkDomains = ({ domains, kernel, dmas }: Type1Iommu, violations: string[]): number[] => {
  const frames: number[] = [];
  let mapped = 0n;
  for (const dma of dmas) {
    if (kernel.release.type1.findDmaWraps && wraps(dma.iova, dma.size + 1n)) continue;
    if (domains.length > 0) mapped += dma.size;
    for (let at = 0n; domains.length > 0 && at < dma.size; at += PAGE_SIZE_BYTES) {
      const [frame, ...others] = domains.map((domain) => domain.frame(dma.iova + at));
      if (frame === undefined || others.some((other) => other !== frame)) {
        violations.push(`IOVA ${(dma.iova + at).toString(16)} is not the same in every domain`);
      } else if (!kernel.frames.isRegister(frame)) {
        frames.push(frame);
      }
    }
  }
  for (const { domain } of domains) {
    let translated = 0;
    for (const { length } of domain.table) translated += length;
    if (BigInt(translated) !== mapped) {
      violations.push(`a domain translates ${translated} bytes and the mappings have ${mapped}`);
    }
  }
  return frames;
};

const checkCounts = (iommu: Type1Iommu, violations: string[]): void => {
  let invalid = 0;
  for (const { vaddrInvalid } of iommu.dmas) if (vaddrInvalid) invalid += 1;
  if (invalid !== iommu.invalidAddresses) violations.push('invalid addresses are counted wrong');
  const limit = iommu.kernel.platform.dmaEntryLimit;
  if (iommu.dmas.size + iommu.available !== limit) violations.push('mappings are counted wrong');
};

export const checkContainers = (kernel: Kernel): Type1Uses => {
  const violations: string[] = [];
  const frames: number[] = [];
  for (const { iommu } of kernel.containers) {
    if (iommu === undefined) continue;
    frames.push(...checkDomains(iommu, violations));
    checkCounts(iommu, violations);
  }
  return { violations, frames };
};
