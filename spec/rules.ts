// Every rule of the specification, in reading order: the reference is made from this. A call's own rules come first,
// then those of the parts that it uses.

import { checkExtensionRules } from './compat/check-extension.ts';
import { compatRules } from './compat/compat-call.ts';
import { compatIoasRules } from './compat/compat-ioas.ts';
import { getInfoRules } from './compat/get-info.ts';
import { mapDmaRules } from './compat/map-dma.ts';
import { setIommuRules } from './compat/set-iommu.ts';
import { unmapDmaRules } from './compat/unmap-dma.ts';
import { dmaRules } from './hardware/dma.ts';
import { accessAttachRules } from './iommufd/access-attach.ts';
import { attachRules } from './iommufd/attach.ts';
import { destroyRules } from './iommufd/destroy.ts';
import { getHwInfoRules } from './iommufd/get-hw-info.ts';
import { hwptAllocRules } from './iommufd/hwpt-alloc.ts';
import { hwptGetDirtyBitmapRules } from './iommufd/hwpt-get-dirty-bitmap.ts';
import { hwptSetDirtyTrackingRules } from './iommufd/hwpt-set-dirty-tracking.ts';
import { ioasAllocRules } from './iommufd/ioas-alloc.ts';
import { ioasAllowIovasRules } from './iommufd/ioas-allow-iovas.ts';
import { ioasChangeProcessRules } from './iommufd/ioas-change-process.ts';
import { ioasCopyRules } from './iommufd/ioas-copy.ts';
import { ioasIovaRangesRules } from './iommufd/ioas-iova-ranges.ts';
import { ioasMapRules } from './iommufd/ioas-map.ts';
import { ioasMapFileRules } from './iommufd/ioas-map-file.ts';
import { ioasNoIommuGetPaRules } from './iommufd/ioas-noiommu-get-pa.ts';
import { ioasUnmapRules } from './iommufd/ioas-unmap.ts';
import { optionRules } from './iommufd/option.ts';
import { respondRules } from './iommufd/request.ts';
import { vfioIoasRules } from './iommufd/vfio-ioas.ts';
import { doorRules } from './iommufd-ioctl.ts';
import { accessRules } from './iopt/access.ts';
import { alignmentRules } from './iopt/alignment.ts';
import { choosingRules } from './iopt/choose-iova.ts';
import { cuttingRules } from './iopt/cut.ts';
import { domainRules } from './iopt/domains.ts';
import { largePagesRules } from './iopt/large-pages.ts';
import { mappingRules } from './iopt/map.ts';
import { mapUserRules } from './iopt/map-user.ts';
import { reservingRules } from './iopt/reserve.ts';
import { unmappingRules } from './iopt/unmap.ts';
import { accountingRules } from './memory/accounting.ts';
import { memoryCallRules } from './memory/memory-calls.ts';
import { pinRules } from './memory/pin.ts';
import { statusRules } from './memory/status.ts';
import { accessDescriptorRules } from './selftest/access-descriptor.ts';
import { accessPagesRules, destroyAccessPagesRules } from './selftest/access-pages.ts';
import { accessReplaceIoasRules } from './selftest/access-replace-ioas.ts';
import { accessRwRules } from './selftest/access-rw.ts';
import { addReservedRules } from './selftest/add-reserved.ts';
import { createAccessRules } from './selftest/create-access.ts';
import { dirtyRules } from './selftest/dirty.ts';
import { frameRules } from './selftest/frames.ts';
import { mdCheckMapRules } from './selftest/md-check-map.ts';
import { mdCheckRefsRules } from './selftest/md-check-refs.ts';
import { mockDomainRules } from './selftest/mock-domain.ts';
import { mockDomainReplaceRules } from './selftest/mock-domain-replace.ts';
import { testCommandRules } from './selftest/test-command.ts';
import { descriptorRules } from './step.ts';
import { RELEASES, type ReleaseName } from './terms/releases.ts';
import type { Rule } from './terms/rule.ts';
import { attachGroupRules } from './type1/attach-group.ts';
import { type1CheckExtensionRules } from './type1/check-extension.ts';
import { type1DirtyPagesRules } from './type1/dirty-pages.ts';
import { type1GetInfoRules } from './type1/get-info.ts';
import { type1LockedRules } from './type1/locked-memory.ts';
import { type1MapDmaRules } from './type1/map-dma.ts';
import { reachRules } from './type1/reach.ts';
import { type1SetIommuRules } from './type1/set-iommu.ts';
import { type1Rules } from './type1/type1-call.ts';
import { type1UnmapDmaRules } from './type1/unmap-dma.ts';
import { attachIommufdPtRules } from './vfio/attach-iommufd-pt.ts';
import { bindingRules } from './vfio/bind-device.ts';
import { bindIommufdRules } from './vfio/bind-iommufd.ts';
import { detachIommufdPtRules } from './vfio/detach-iommufd-pt.ts';
import { deviceRules } from './vfio/device-call.ts';
import { getDeviceFdRules } from './vfio/get-device-fd.ts';
import { groupRules, groupStatusRules, unsetContainerRules } from './vfio/group-call.ts';
import { openRules } from './vfio/open.ts';
import { setContainerRules } from './vfio/set-container.ts';

/** Rules that belong together: a call, or a part of the kernel that several calls use. */
export type Part = {
  readonly name: string;
  readonly rules: readonly Rule[];
};

/** Parts under one title of the reference. */
export type Section = { readonly title: string; readonly parts: readonly Part[] };

type Table = Readonly<Record<string, Rule>>;

const section = (title: string, tables: readonly Table[]): Section => ({
  title,
  parts: tables.map((table) => {
    const rules = Object.values(table);
    return { name: (rules[0] as Rule).part, rules };
  }),
});

/** Every part, in the order of the reference. */
export const SECTIONS: readonly Section[] = [
  section('Descriptors', [openRules, descriptorRules]),
  section('Native calls: the way in and out', [doorRules, respondRules]),
  section('Native calls', [
    destroyRules,
    ioasAllocRules,
    ioasAllowIovasRules,
    ioasCopyRules,
    ioasIovaRangesRules,
    ioasMapRules,
    ioasUnmapRules,
    ioasNoIommuGetPaRules,
    optionRules,
    vfioIoasRules,
    hwptAllocRules,
    getHwInfoRules,
    hwptSetDirtyTrackingRules,
    hwptGetDirtyBitmapRules,
    ioasMapFileRules,
    ioasChangeProcessRules,
  ]),
  section('VFIO calls of a container, as an iommufd answers them', [
    compatRules,
    compatIoasRules,
    checkExtensionRules,
    setIommuRules,
    getInfoRules,
    mapDmaRules,
    unmapDmaRules,
  ]),
  section('VFIO calls of a container, as the legacy container answers them', [
    type1Rules,
    type1CheckExtensionRules,
    type1SetIommuRules,
    type1GetInfoRules,
    type1MapDmaRules,
    type1UnmapDmaRules,
    type1DirtyPagesRules,
    attachGroupRules,
    reachRules,
    type1LockedRules,
  ]),
  section('VFIO calls of a group', [
    groupRules,
    groupStatusRules,
    setContainerRules,
    unsetContainerRules,
    getDeviceFdRules,
  ]),
  section('VFIO calls of a device', [
    deviceRules,
    bindIommufdRules,
    attachIommufdPtRules,
    detachIommufdPtRules,
  ]),
  section('The I/O page table', [
    mapUserRules,
    mappingRules,
    choosingRules,
    unmappingRules,
    cuttingRules,
    largePagesRules,
    alignmentRules,
    reservingRules,
    domainRules,
    accessRules,
  ]),
  section('Devices and in-kernel users', [bindingRules, attachRules, accessAttachRules]),
  section('Memory', [pinRules, accountingRules, memoryCallRules, statusRules]),
  section('Hardware', [dmaRules]),
  section('Test commands', [
    testCommandRules,
    mockDomainRules,
    mockDomainReplaceRules,
    addReservedRules,
    dirtyRules,
    mdCheckMapRules,
    mdCheckRefsRules,
    frameRules,
    createAccessRules,
    accessDescriptorRules,
    accessReplaceIoasRules,
    accessPagesRules,
    destroyAccessPagesRules,
    accessRwRules,
  ]),
];

/** Every rule, in the order of the reference. */
export const ALL_RULES: readonly Rule[] = SECTIONS.flatMap(({ parts }) =>
  parts.flatMap(({ rules }) => rules),
);

const MAPPING = ['mapping', 'choosing an IOVA', 'pinning', 'locked memory'] as const;
const FILLING = [
  'domains of a table',
  'alignment',
  'reserving',
  'pinning',
  'locked memory',
] as const;
const ATTACHING = ['attaching', ...FILLING] as const;
const ATTACHING_ACCESS = ['attaching an in-kernel user', 'alignment'] as const;

/** The parts whose rules a call meets behind its own, by the call's part, in the order in which it meets them. */
const USES: Readonly<Record<string, readonly string[]>> = {
  IOMMU_IOAS_ALLOC: ['answering'],
  IOMMU_IOAS_ALLOW_IOVAS: ['reserving'],
  IOMMU_IOAS_COPY: [...MAPPING],
  IOMMU_IOAS_IOVA_RANGES: ['answering'],
  IOMMU_IOAS_MAP: ['mapping memory', ...MAPPING],
  IOMMU_IOAS_UNMAP: ['unmapping'],
  IOMMU_OPTION: ['large pages', 'alignment'],
  IOMMU_VFIO_IOAS: ['answering'],
  IOMMU_HWPT_ALLOC: [...FILLING, 'answering'],
  IOMMU_IOAS_MAP_FILE: ['mapping memory', ...MAPPING],
  IOMMU_IOAS_CHANGE_PROCESS: ['locked memory'],
  VFIO_CHECK_EXTENSION: ['the compatibility IOAS'],
  VFIO_SET_IOMMU: ['the compatibility IOAS', 'large pages', 'alignment'],
  VFIO_IOMMU_GET_INFO: ['the compatibility IOAS'],
  VFIO_IOMMU_MAP_DMA: [
    'the compatibility IOAS',
    'mapping memory',
    'mapping',
    'pinning',
    'locked memory',
  ],
  VFIO_IOMMU_UNMAP_DMA: ['the compatibility IOAS', 'cutting', 'unmapping'],
  'type1 VFIO_SET_IOMMU': ['attaching to type1'],
  'type1 VFIO_IOMMU_MAP_DMA': ['type1 pinning', 'type1 locked memory'],
  'attaching to type1': ['type1 pinning', 'type1 locked memory'],
  VFIO_GROUP_SET_CONTAINER: ['attaching to type1', 'type1 pinning', 'type1 locked memory'],
  VFIO_GROUP_GET_DEVICE_FD: [
    'binding a device',
    'the compatibility IOAS',
    ...ATTACHING,
    'attaching an in-kernel user',
  ],
  VFIO_DEVICE_BIND_IOMMUFD: ['binding a device'],
  VFIO_DEVICE_ATTACH_IOMMUFD_PT: [...ATTACHING, 'attaching an in-kernel user'],
  'IOMMU_TEST_CMD MOCK_DOMAIN': [...ATTACHING, 'answering'],
  'IOMMU_TEST_CMD MOCK_DOMAIN_REPLACE': [...ATTACHING],
  'IOMMU_TEST_CMD ADD_RESERVED': ['reserving'],
  'IOMMU_TEST_CMD MD_CHECK_MAP': ["looking at the caller's pages"],
  'IOMMU_TEST_CMD MD_CHECK_REFS': ["looking at the caller's pages"],
  'IOMMU_TEST_CMD CREATE_ACCESS': [...ATTACHING_ACCESS, 'answering'],
  'IOMMU_TEST_CMD ACCESS_REPLACE_IOAS': [
    "IOMMU_TEST_CMD, an access's descriptor",
    ...ATTACHING_ACCESS,
  ],
  'IOMMU_TEST_CMD ACCESS_PAGES': [
    "IOMMU_TEST_CMD, an access's descriptor",
    'accesses',
    'pinning',
    'locked memory',
    "looking at the caller's pages",
    'answering',
  ],
  'IOMMU_TEST_CMD DESTROY_ACCESS_PAGES': ["IOMMU_TEST_CMD, an access's descriptor"],
  'IOMMU_TEST_CMD ACCESS_RW': ["IOMMU_TEST_CMD, an access's descriptor", 'accesses', 'pinning'],
};

/** The parts that a part uses, in order; none where it stands by itself. */
export const partsUsedBy = (part: string): readonly string[] => USES[part] ?? [];

const absentIn = (part: string): readonly ReleaseName[] =>
  Object.values(RELEASES)
    .filter(({ absentCalls }) => [...absentCalls].some((name) => name === part))
    .map(({ name }) => name);

/** The releases that have the part; undefined where all have it. */
export const releasesOf = (part: string): readonly ReleaseName[] | undefined => {
  const absent = absentIn(part);
  if (absent.length === 0) return undefined;
  return Object.values(RELEASES)
    .map(({ name }) => name)
    .filter((name) => !absent.includes(name));
};
