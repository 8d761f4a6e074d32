// SPDX-License-Identifier: MIT
// Every rule of the specification, in reading order. docs/reference.md is generated from it. A call's own rules come
// first, then those of the parts that it uses.

import { compatCheckExtensionRules } from './compat/check-extension.ts';
import { compatDispatchRules } from './compat/compat-call.ts';
import { compatIoasRules } from './compat/compat-ioas.ts';
import { compatGetInfoRules } from './compat/get-info.ts';
import { compatMapDmaRules } from './compat/map-dma.ts';
import { compatSetIommuRules } from './compat/set-iommu.ts';
import { compatUnmapDmaRules } from './compat/unmap-dma.ts';
import { dmaRules } from './hardware/dma.ts';
import { attachingAccessRules } from './iommufd/access-attach.ts';
import { attachingRules } from './iommufd/attach.ts';
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
import { ioctlDispatchRules } from './iommufd-ioctl.ts';
import { accessesRules } from './iopt/access.ts';
import { alignmentRules } from './iopt/alignment.ts';
import { choosingIovaRules } from './iopt/choose-iova.ts';
import { cuttingRules } from './iopt/cut.ts';
import { domainsRules } from './iopt/domains.ts';
import { largePagesRules } from './iopt/large-pages.ts';
import { mappingRules } from './iopt/map.ts';
import { allocPagesRules } from './iopt/map-user.ts';
import { reservingRules } from './iopt/reserve.ts';
import { unmappingRules } from './iopt/unmap.ts';
import { lockedMemoryRules } from './memory/accounting.ts';
import { programMemoryRules } from './memory/memory-calls.ts';
import { pinningRules } from './memory/pin.ts';
import { procStatusRules } from './memory/status.ts';
import { testAccessDescriptorRules } from './selftest/access-descriptor.ts';
import { testAccessPagesRules, testDestroyAccessPagesRules } from './selftest/access-pages.ts';
import { testAccessReplaceIoasRules } from './selftest/access-replace-ioas.ts';
import { testAccessRwRules } from './selftest/access-rw.ts';
import { testAddReservedRules } from './selftest/add-reserved.ts';
import { testCreateAccessRules } from './selftest/create-access.ts';
import { testDirtyRules } from './selftest/dirty.ts';
import { callerPagesRules } from './selftest/frames.ts';
import { testMdCheckMapRules } from './selftest/md-check-map.ts';
import { testMdCheckRefsRules } from './selftest/md-check-refs.ts';
import { testMockDomainRules } from './selftest/mock-domain.ts';
import { testMockDomainReplaceRules } from './selftest/mock-domain-replace.ts';
import { testCmdRules } from './selftest/test-command.ts';
import { descriptorsRules } from './step.ts';
import type { Rule } from './terms/rule.ts';
import { type1AttachGroupRules } from './type1/attach-group.ts';
import { type1CheckExtensionRules } from './type1/check-extension.ts';
import { type1DirtyPagesRules } from './type1/dirty-pages.ts';
import { type1GetInfoRules } from './type1/get-info.ts';
import { type1LockedMemoryRules } from './type1/locked-memory.ts';
import { type1MapDmaRules } from './type1/map-dma.ts';
import { type1PinningRules } from './type1/reach.ts';
import { type1SetIommuRules } from './type1/set-iommu.ts';
import { type1DispatchRules } from './type1/type1-call.ts';
import { type1UnmapDmaRules } from './type1/unmap-dma.ts';
import { deviceAttachIommufdPtRules } from './vfio/attach-iommufd-pt.ts';
import { bindingRules } from './vfio/bind-device.ts';
import { deviceBindIommufdRules } from './vfio/bind-iommufd.ts';
import { deviceDetachIommufdPtRules } from './vfio/detach-iommufd-pt.ts';
import { deviceDispatchRules } from './vfio/device-call.ts';
import { groupGetDeviceFdRules } from './vfio/get-device-fd.ts';
import {
  groupDispatchRules,
  groupGetStatusRules,
  groupUnsetContainerRules,
} from './vfio/group-call.ts';
import { openRules } from './vfio/open.ts';
import { groupSetContainerRules } from './vfio/set-container.ts';

type Table = Readonly<Record<string, Rule>>;

const TABLES = {
  Descriptors: [openRules, descriptorsRules],
  'Native calls: dispatch and reply': [ioctlDispatchRules, respondRules],
  'Native calls': [
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
  ],
  'VFIO ioctls of a container, on an iommufd': [
    compatDispatchRules,
    compatIoasRules,
    compatCheckExtensionRules,
    compatSetIommuRules,
    compatGetInfoRules,
    compatMapDmaRules,
    compatUnmapDmaRules,
  ],
  'VFIO ioctls of a container, on type1': [
    type1DispatchRules,
    type1CheckExtensionRules,
    type1SetIommuRules,
    type1GetInfoRules,
    type1MapDmaRules,
    type1UnmapDmaRules,
    type1DirtyPagesRules,
    type1AttachGroupRules,
    type1PinningRules,
    type1LockedMemoryRules,
  ],
  'VFIO ioctls of a group': [
    groupDispatchRules,
    groupGetStatusRules,
    groupSetContainerRules,
    groupUnsetContainerRules,
    groupGetDeviceFdRules,
  ],
  'VFIO ioctls of a device': [
    deviceDispatchRules,
    deviceBindIommufdRules,
    deviceAttachIommufdPtRules,
    deviceDetachIommufdPtRules,
  ],
  'The I/O page table': [
    allocPagesRules,
    mappingRules,
    choosingIovaRules,
    unmappingRules,
    cuttingRules,
    largePagesRules,
    alignmentRules,
    reservingRules,
    domainsRules,
    accessesRules,
  ],
  'Devices and accesses': [bindingRules, attachingRules, attachingAccessRules],
  Memory: [pinningRules, lockedMemoryRules, programMemoryRules, procStatusRules],
  Hardware: [dmaRules],
  'Test commands': [
    testCmdRules,
    testMockDomainRules,
    testMockDomainReplaceRules,
    testAddReservedRules,
    testDirtyRules,
    testMdCheckMapRules,
    testMdCheckRefsRules,
    callerPagesRules,
    testCreateAccessRules,
    testAccessDescriptorRules,
    testAccessReplaceIoasRules,
    testAccessPagesRules,
    testDestroyAccessPagesRules,
    testAccessRwRules,
  ],
} as const satisfies Readonly<Record<string, readonly Table[]>>;

type IdsIn<T> = T extends Table
  ? T[keyof T] extends { readonly id: infer Id }
    ? Id
    : never
  : never;

/** "ioas-map/unknown-flags", and so on: the ids of all rules. */
export type RuleId = IdsIn<(typeof TABLES)[keyof typeof TABLES][number]>;

type PartOf<Id extends RuleId> = Id extends `${infer Name}/${string}` ? Name : never;

/** "ioas-map", and so on: the part before the slash. */
export type PartId = PartOf<RuleId>;

type NameIn<Id extends RuleId, Name extends PartId> = Id extends `${Name}/${infer Own}`
  ? Own
  : never;

/** The names of a part's rules, the part after the slash. */
export type RuleNameIn<Name extends PartId> = NameIn<RuleId, Name>;

/** The id of a rule of the part. */
export const ruleIn = <Name extends PartId>(part: Name, rule: RuleNameIn<Name>): RuleId =>
  `${part}/${rule}` as RuleId;

/** A call, or a part of the kernel that several calls use, with its rules. */
export type RulesOfPart = {
  readonly id: PartId;
  readonly title: string;
  readonly rules: readonly Rule<RuleId>[];
};

export type Section = { readonly title: string; readonly parts: readonly RulesOfPart[] };

const partOf = (table: Table): RulesOfPart => {
  const rules = Object.values(table) as readonly Rule<RuleId>[];
  const { id, title } = (rules[0] as Rule).part;
  return { id: id as PartId, title, rules };
};

/** In reading order. */
export const SECTIONS: readonly Section[] = Object.entries(TABLES).map(([title, tables]) => ({
  title,
  parts: tables.map(partOf),
}));

/** The parts of a section. */
export const partsIn = (title: keyof typeof TABLES): readonly PartId[] =>
  TABLES[title].map((table) => partOf(table).id);

export const ALL_PARTS: readonly RulesOfPart[] = SECTIONS.flatMap(({ parts }) => parts);

export const ALL_RULES: readonly Rule<RuleId>[] = ALL_PARTS.flatMap(({ rules }) => rules);

const byId: ReadonlyMap<string, Rule<RuleId>> = new Map(ALL_RULES.map((rule) => [rule.id, rule]));

export const ruleAt = (id: RuleId): Rule<RuleId> => byId.get(id) as Rule<RuleId>;

/** Whether a text from outside, such as a file, is the id of a rule. */
export const isRuleId = (text: string): text is RuleId => byId.has(text);

/** The id of the rule as a literal type, so that a comparison with a misspelt id does not compile. */
export const ruleIdOf = (rule: Rule): RuleId => rule.id as RuleId;

/** The id of the rule's part, likewise. */
export const partIdOf = ({ part }: Rule): PartId => part.id as PartId;
