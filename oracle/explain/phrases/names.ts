// SPDX-License-Identifier: MIT
// Calls by their names in the headers, and files by their paths, in any program.

import { NATIVE_CALLS } from '../../../spec/abi/native.ts';
import { type CallName, VFIO_CALL_NAMES } from '../calls.ts';
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

const MAPS: readonly CallName[] = ['VFIO_IOMMU_MAP_DMA', 'IOMMU_IOAS_MAP'];
const UNMAPS: readonly CallName[] = ['VFIO_IOMMU_UNMAP_DMA', 'IOMMU_IOAS_UNMAP'];

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
      /bind(?:ing)? .{0,60}\bto vfio|bind(?:ing)? .{0,60}\bvfio-pci|vfio-pci\/(?:bind|new_id)|write error: No such device/i,
    calls: ['binding a device to vfio-pci'],
  },
  {
    pattern:
      /(?:cannot|can't|could not|failed to) (?:find|get|read) (?:the )?iommu[ _]group|no iommu[ _]group|not in an iommu[ _]group/i,
    causes: ['iommu-off'],
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
    calls: MAPS,
  },
  {
    pattern: /\bDMA[ _-]?unmap|unmap(?:ping)? (?:\S+ )?(?:for )?DMA\b/i,
    calls: UNMAPS,
  },
  { pattern: /\/mdev\/|\bmdev\b|sysfsdev=\S*[0-9a-f]{8}-[0-9a-f]{4}-/i, hints: ['mdev'] },
  {
    pattern: /docker|containerd|kubelet|\bkata\b|podman|nspawn|virt-launcher|kubevirt|\blxc\b/i,
    hints: ['container-runtime'],
  },
  { pattern: /^(?:\d+ +)?(?:[\d:.]+ +)?(?:ioctl|openat?)\(/, program: 'strace' },
];

/** What is left where no message and no name is known: words about VFIO or iommufd. */
export const vaguePhrases: readonly Phrase[] = [
  {
    pattern: /\bunmap\w*\b.*\b(?:iova|iommu|ioas|vfio)|\b(?:vfio|iommu)\b.*\bunmap/i,
    calls: UNMAPS,
  },
  {
    pattern: /\bmap\w*\b.*\b(?:iova|iommu|ioas|vfio)\b|\b(?:vfio|iommu|ioas)\b.*\bmap/i,
    calls: MAPS,
  },
  { pattern: /\bpin\w*\b.*\b(?:pages|memory)\b.*\bvfio\b|\bvfio\b.*\bpin/i, calls: MAPS },
  { pattern: /\bbind\w*\b.*\biommufd\b|\biommufd\b.*\bbind/i, calls: ['VFIO_DEVICE_BIND_IOMMUFD'] },
  {
    pattern: /\battach\w*\b.*\b(?:ioas|hwpt|iommufd|page table)\b|\biommufd\b.*\battach/i,
    calls: ['VFIO_DEVICE_ATTACH_IOMMUFD_PT'],
  },
  {
    pattern: /\bdevice (?:fd|descriptor|file)\b.*\bvfio|\bvfio\b.*\bdevice (?:fd|descriptor)/i,
    calls: ['VFIO_GROUP_GET_DEVICE_FD'],
  },
  {
    pattern: /\bset(?:ting)?\b.*\biommu (?:type|model|driver)|\biommu type\b/i,
    calls: ['VFIO_SET_IOMMU'],
  },
  {
    pattern: /\bvfio\b.*\bcontainer\b/i,
    calls: ['VFIO_GROUP_SET_CONTAINER', 'VFIO_SET_IOMMU', 'open of /dev/vfio/vfio'],
  },
  { pattern: /\bvfio\b.*\bgroup\b/i, calls: ['open of /dev/vfio/N', 'VFIO_GROUP_SET_CONTAINER'] },
];
