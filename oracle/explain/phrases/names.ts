// SPDX-License-Identifier: MIT
// Calls by their names in the headers, and files by their paths, in any program.

import { NATIVE_CALLS } from '../../../spec/abi/native.ts';
import { VFIO_CALL_NAMES } from '../calls.ts';
import type { Phrase } from '../phrase.ts';

const NAMES = [
  ...VFIO_CALL_NAMES.filter((name) => name.startsWith('VFIO_')),
  ...NATIVE_CALLS.map(({ name }) => name),
];

/** "VFIO_IOMMU_MAP_DMA", "MAP_DMA", "ioas_map". */
const named = (name: string): RegExp => {
  const short = name.replace(/^(?:VFIO_IOMMU|VFIO_GROUP|VFIO_DEVICE|VFIO|IOMMU)_/, '');
  return new RegExp(`\\b(?:${name}|${short})\\b`, 'i');
};

/** Words that are common in messages and no name of a call there. */
const TOO_COMMON = new Set(['IOMMU_OPTION', 'IOMMU_DESTROY', 'VFIO_IOMMU_GET_INFO']);

export const namePhrases: readonly Phrase[] = [
  ...NAMES.map((name) => ({
    pattern: TOO_COMMON.has(name) ? new RegExp(`\\b${name}\\b`) : named(name),
    calls: [name],
  })),
  {
    pattern: /(?:link|add|attach|set)\w* (?:vfio )?group.* to (?:the )?(?:vfio )?container/i,
    calls: ['VFIO_GROUP_SET_CONTAINER'],
  },
  {
    pattern:
      /bind(?:ing)? .{0,60}\bvfio-pci|vfio-pci\/(?:bind|new_id)|write error: No such device/i,
    calls: ['binding a device to vfio-pci'],
  },
  { pattern: /devices? cgroup/i, causes: ['device-cgroup'] },
  {
    pattern:
      /devices? not bound to vfio|bound to VFIO or unbound|must be bound to (?:vfio|their vfio)/i,
    causes: ['group-in-use'],
  },
  { pattern: /\/dev\/vfio\/vfio\b/, calls: ['open of /dev/vfio/vfio'] },
  { pattern: /\/dev\/iommu\b/, calls: ['open of /dev/iommu'] },
  { pattern: /\/dev\/vfio\/devices\b/, calls: ['open of /dev/vfio/devices/vfioN'] },
  { pattern: /\/dev\/vfio\/(?:noiommu-)?\d+/, calls: ['open of /dev/vfio/N'] },
  {
    pattern: /\bDMA[ _-]?map|map(?:ping)? (?:\S+ )?(?:for )?DMA\b/i,
    calls: ['VFIO_IOMMU_MAP_DMA', 'IOMMU_IOAS_MAP'],
  },
  {
    pattern: /\bDMA[ _-]?unmap|unmap(?:ping)? (?:\S+ )?(?:for )?DMA\b/i,
    calls: ['VFIO_IOMMU_UNMAP_DMA', 'IOMMU_IOAS_UNMAP'],
  },
  { pattern: /\/mdev\/|\bmdev\b|sysfsdev=\S*[0-9a-f]{8}-[0-9a-f]{4}-/i, hints: ['mdev'] },
  {
    pattern: /docker|containerd|kubelet|\bkata\b|podman|nspawn|virt-launcher|kubevirt|\blxc\b/i,
    hints: ['container-runtime'],
  },
  { pattern: /^(?:\d+ +)?(?:[\d:.]+ +)?(?:ioctl|openat?)\(/, program: 'strace' },
];
