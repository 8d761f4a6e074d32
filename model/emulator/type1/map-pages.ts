// SPDX-License-Identifier: MIT
// The dmas of a container in its domains: pinned and mapped run by run, read back from a domain,
// and filled into domains that join later. drivers/vfio/vfio_iommu_type1.c (vfio_pin_map_dma,
// vfio_unmap_unpin, vfio_iommu_replay).

import { PAGE_SIZE_BYTES } from '../../../spec/abi/units.ts';
import type { Kernel } from '../kernel.ts';
import { wrap } from '../u64.ts';
import { type Dma, wraps } from './dma.ts';
import { type Batch, pageOf, pinRun, type Run, unpinAgain, unpinFrames } from './pin-pages.ts';
import type { Type1Domain } from './type1-domain.ts';

const bytesOf = ({ count }: Run): bigint => BigInt(count) * PAGE_SIZE_BYTES;

const permissionOf = (kernel: Kernel, dma: Dma): Dma['permission'] =>
  kernel.defects.has('type1-read-only-mapped-writable')
    ? { ...dma.permission, writable: true }
    : dma.permission;

const mapEverywhere = (
  kernel: Kernel,
  domains: readonly Type1Domain[],
  dma: Dma,
  iova: bigint,
  run: Run,
): number => {
  for (const [index, domain] of domains.entries()) {
    const beyond = kernel.release.type1.beyondAperture;
    const error = domain.map(iova, run, permissionOf(kernel, dma), beyond);
    if (error === 0) continue;
    for (const filled of domains.slice(0, index)) filled.unmap(iova, bytesOf(run));
    return error;
  }
  return 0;
};

/**
 * Fills every domain with a new dma, up to the first failure. 0, or -errno; what was mapped before
 * the failure stays.
 */
export const pinAndMap = (
  kernel: Kernel,
  domains: readonly Type1Domain[],
  dma: Dma,
  size: bigint,
): number => {
  const batch: Batch = { frames: [] };
  dma.iommuMapped = true;
  while (dma.size < size) {
    const page = pageOf(dma.vaddr + dma.size);
    const run = pinRun(kernel, dma, batch, page, pageOf(size - dma.size));
    if (typeof run === 'number') return run;
    const error = mapEverywhere(kernel, domains, dma, dma.iova + dma.size, run);
    if (error !== 0) {
      unpinAgain(kernel, batch, run);
      return error;
    }
    dma.size += bytesOf(run);
  }
  return 0;
};

/** Bytes of the dma that are visited; none if its end wraps. */
const visible = (kernel: Kernel, dma: Dma): bigint =>
  kernel.release.type1.findDmaWraps && wraps(dma.iova, dma.size + 1n) ? 0n : dma.size;

/** Removes a dma from the domains. Returns the count of unpinned pages, which are still charged. */
export const unmapAndUnpin = (
  kernel: Kernel,
  domains: readonly Type1Domain[],
  dma: Dma,
): number => {
  const [domain, ...others] = domains;
  if (domain === undefined || dma.size === 0n) return 0;
  if (!kernel.defects.has('type1-second-domain-not-unmapped')) {
    for (const other of others) other.unmap(dma.iova, dma.size);
  }
  let unlocked = 0;
  const end = visible(kernel, dma);
  for (let at = 0n; at < end; ) {
    const run = domain.run(dma.iova + at, pageOf(dma.size - at));
    if (run === undefined) {
      at += PAGE_SIZE_BYTES;
      continue;
    }
    domain.unmap(dma.iova + at, bytesOf(run));
    unlocked += unpinFrames(kernel, run);
    at += bytesOf(run);
  }
  dma.iommuMapped = false;
  return unlocked;
};

const unfill = (kernel: Kernel, domain: Type1Domain, dma: Dma): void => {
  if (dma.iommuMapped) {
    domain.unmap(dma.iova, dma.size);
    return;
  }
  for (let at = 0n; at < visible(kernel, dma); ) {
    const run = domain.run(dma.iova + at, pageOf(dma.size - at));
    if (run === undefined) {
      // Runs are filled in order: after the first that is missing there are none.
      return;
    }
    domain.unmap(dma.iova + at, bytesOf(run));
    kernel.accounts.unlock(unpinFrames(kernel, run));
    at += bytesOf(run);
  }
};

/**
 * Fills a new domain with one dma: with the frames that another domain has, or pinned now if there
 * is none.
 */
const fill = (
  kernel: Kernel,
  known: Type1Domain | undefined,
  domain: Type1Domain,
  dma: Dma,
  batch: Batch,
): number => {
  for (let at = 0n; at < visible(kernel, dma); ) {
    const iova = wrap(dma.iova + at);
    const left = pageOf(dma.size - at);
    const run = dma.iommuMapped
      ? known?.run(iova, left)
      : pinRun(kernel, dma, batch, pageOf(dma.vaddr + at), left);
    if (typeof run === 'number') return run;
    if (run === undefined) {
      at += PAGE_SIZE_BYTES;
      continue;
    }
    const permission = permissionOf(kernel, dma);
    const error = domain.map(iova, run, permission, kernel.release.type1.beyondAperture);
    if (error !== 0) {
      if (!dma.iommuMapped) unpinAgain(kernel, batch, run);
      return error;
    }
    at += bytesOf(run);
  }
  return 0;
};

/** Fills a new domain with every dma. 0, or -errno with the domain empty again. */
export const replay = (
  kernel: Kernel,
  domains: readonly Type1Domain[],
  domain: Type1Domain,
  dmas: Iterable<Dma>,
): number => {
  const batch: Batch = { frames: [] };
  const filled: Dma[] = [];
  for (const dma of dmas) {
    filled.push(dma);
    const error = fill(kernel, domains[0], domain, dma, batch);
    if (error === 0) continue;
    const unwinds = !kernel.defects.has('type1-failed-join-keeps-pins');
    if (unwinds) for (const done of filled.reverse()) unfill(kernel, domain, done);
    return error;
  }
  for (const dma of filled) dma.iommuMapped = true;
  return 0;
};
