// SPDX-License-Identifier: MIT
// The specification as a library, `iommufd-spec`: the replies that a call may have. It needs nothing but ts-pattern,
// and importing it has no side effects. docs/library.md has examples.

export { bytesOfHex, hexOf } from './abi/bytes-text.ts';
export { ERRNO, type Errno, type ErrnoName, errnoName } from './abi/errno.ts';
export {
  decode,
  encode,
  type Field,
  type Layout,
  type SomeValues,
  type Values,
  withFields,
} from './abi/layout.ts';
/** The structs, numbers and flags of include/uapi/linux/iommufd.h. */
export * as native from './abi/native.ts';
export { type NativeCall, type NativeCallName, nativeCall } from './abi/native.ts';
/** The operations of IOMMU_TEST_CMD. */
export * as selftest from './abi/test.ts';
export {
  type ByteLength,
  type Fd,
  fileDescriptor,
  type Iova,
  iova,
  type ObjectId,
  objectId,
  type UserAddress,
  userAddress,
} from './abi/units.ts';
/** The structs, numbers and flags of include/uapi/linux/vfio.h. */
export * as vfio from './abi/vfio.ts';
export { nodesOf, type OrderedMap, valueAt, valuesOf } from './collections/ordered-map.ts';
export { DEVIATIONS, type Deviation, type DeviationId } from './outcome/deviations.ts';
export type { Choice, Choices, Outcome, Reply, Unspecified } from './outcome/outcome.ts';
export { partsMetBy } from './parts-met.ts';
export { partsUsedBy, releasesOf } from './parts-used.ts';
export {
  ALL_PARTS,
  ALL_RULES,
  isRuleId,
  type PartId,
  type RuleId,
  type RuleNameIn,
  type RulesOfPart,
  ruleAt,
  SECTIONS,
  type Section,
} from './rules.ts';
export { type Area, type AreaNode, areaAt } from './state/area.ts';
export type { Container } from './state/container.ts';
export {
  accessAt,
  type Context,
  deviceAt,
  hwptAt,
  type IommufdObject,
  ioasAt,
  objectAt,
} from './state/context.ts';
export type { FileId } from './state/files.ts';
export type { IoPagetable } from './state/io-pagetable.ts';
export type { Memory } from './state/memory.ts';
export {
  emptyWorld,
  fileAt,
  type OpenFile,
  openFile,
  type World,
} from './state/world.ts';
export { step, withStores } from './step.ts';
export type {
  Backing,
  Call,
  CloseCall,
  DmaCall,
  DmaDirection,
  IoctlCall,
  MemfdCall,
  MmapCall,
  MunmapCall,
  Observation,
  OpenCall,
  Process,
  Protection,
  Segment,
  StatusCall,
  StatusField,
  StoreCall,
} from './terms/call.ts';
export type {
  Credentials,
  Iommu,
  IovaRange,
  MemoryKind,
  Platform,
  PlatformDevice,
  Setting,
  UnsafeInterrupts,
} from './terms/platform.ts';
export { PLATFORMS, type PlatformName, platformNamed } from './terms/platforms.ts';
export { RELEASE_NAMES, type Release, type ReleaseName, releaseOf } from './terms/releases.ts';
export type { Part, Rule } from './terms/rule.ts';
