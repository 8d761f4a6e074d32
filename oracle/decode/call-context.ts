// SPDX-License-Identifier: MIT
// The context of a call: the iommufd, the objects it names, the IOVAs and the memory. The state around a violation,
// and the evidence for rules, are limited to these.

import { match, P } from 'ts-pattern';
import { decode, type Layout } from '../../spec/abi/layout.ts';
import { MAP_FIXED_IOVA } from '../../spec/abi/native.ts';
import { fileDescriptor, type ObjectId, objectId } from '../../spec/abi/units.ts';
import { type Context, objectAt } from '../../spec/state/context.ts';
import type { FileId } from '../../spec/state/files.ts';
import type { IoPagetable } from '../../spec/state/io-pagetable.ts';
import { boundDeviceOf, fileAt, openFile, type World } from '../../spec/state/world.ts';
import type { Call, DmaCall, IoctlCall, Observation, Segment } from '../../spec/terms/call.ts';
import {
  type ContainerRange,
  containerRanges,
  fileOfContext,
  isContainer,
  openFiles,
} from './call-containers.ts';
import type { CallShape } from './call-shape.ts';
import { shapeOfCall } from './decode-call.ts';
import { bytesIn } from './memory-layout.ts';

/** `length` bytes of IOVAs of one IOAS; 0 if the call names none. */
export type Span = {
  /** "the range to map", "the range to copy from". */
  readonly what: string;
  readonly ioas: ObjectId;
  readonly start: bigint;
  readonly length: bigint;
};

export type CallContext = {
  /** The iommufd, and its file. */
  readonly file: FileId | undefined;
  readonly context: Context | undefined;
  readonly shape: CallShape;
  /** The struct's fields by name; empty if there is no struct. */
  readonly values: Readonly<Record<string, number | bigint>>;
  /** Objects that the call names, its IOAS first. */
  readonly objects: readonly ObjectId[];
  readonly spans: readonly Span[];
  /** Legacy containers of the call, and the IOVAs that it names there. */
  readonly containers: readonly FileId[];
  readonly containerRanges: readonly ContainerRange[];
  /** Memory of the calling process, in bytes. */
  readonly memory: { readonly address: bigint; readonly length: bigint } | undefined;
};

const structOf = (
  shape: CallShape,
  memory: readonly Segment[],
  argument: bigint,
): CallContext['values'] =>
  shape.layout === undefined
    ? {}
    : (decode(
        shape.layout as Layout,
        bytesIn(memory, argument, shape.layout.size),
      ) as CallContext['values']);

const big = (value: number | bigint | undefined): bigint => BigInt(value ?? 0);

/** The IOAS of an object. */
export const ioasBehind = (context: Context, id: ObjectId): ObjectId | undefined => {
  const object = objectAt(context, id);
  switch (object?.kind) {
    case 'ioas':
      return id;
    case 'hwpt':
      return object.ioas;
    case 'access':
      return object.ioas;
    case 'device':
      return object.hwpt === undefined ? undefined : ioasBehind(context, object.hwpt);
    case 'selftest':
      return ioasBehind(context, object.device);
    default:
      return undefined;
  }
};

/** By call: the fields that name objects; first the IOAS, or the object that has it. */
const OBJECT_FIELDS: Readonly<Record<string, readonly string[]>> = {
  IOMMU_DESTROY: ['id'],
  IOMMU_IOAS_ALLOW_IOVAS: ['ioas_id'],
  IOMMU_IOAS_IOVA_RANGES: ['ioas_id'],
  IOMMU_IOAS_MAP: ['ioas_id'],
  IOMMU_IOAS_MAP_FILE: ['ioas_id'],
  IOMMU_IOAS_COPY: ['dst_ioas_id', 'src_ioas_id'],
  IOMMU_IOAS_UNMAP: ['ioas_id'],
  IOMMU_OPTION: ['object_id'],
  IOMMU_VFIO_IOAS: ['ioas_id'],
  IOMMU_HWPT_ALLOC: ['pt_id', 'dev_id'],
  IOMMU_HWPT_SET_DIRTY_TRACKING: ['hwpt_id'],
  IOMMU_HWPT_GET_DIRTY_BITMAP: ['hwpt_id'],
  IOMMU_GET_HW_INFO: ['dev_id'],
  IOMMU_IOAS_NOIOMMU_GET_PA: ['ioas_id'],
  VFIO_DEVICE_ATTACH_IOMMUFD_PT: ['pt_id'],
  'IOMMU_TEST_CMD ADD_RESERVED': ['id'],
  'IOMMU_TEST_CMD MOCK_DOMAIN': ['id'],
  'IOMMU_TEST_CMD MOCK_DOMAIN_FLAGS': ['id'],
  'IOMMU_TEST_CMD MOCK_DOMAIN_REPLACE': ['pt_id', 'id'],
  'IOMMU_TEST_CMD MD_CHECK_MAP': ['id'],
  'IOMMU_TEST_CMD CREATE_ACCESS': ['id'],
  'IOMMU_TEST_CMD ACCESS_REPLACE_IOAS': ['ioas_id'],
  'IOMMU_TEST_CMD DEV_CHECK_CACHE': ['id'],
  'IOMMU_TEST_CMD DIRTY': ['id'],
};

type SpanFields = readonly [what: string, iova: string, length: string, object?: string];

const STRETCH_FIELDS: Readonly<Record<string, readonly SpanFields[]>> = {
  IOMMU_IOAS_MAP: [['the range to map', 'iova', 'length']],
  IOMMU_IOAS_MAP_FILE: [['the range to map', 'iova', 'length']],
  IOMMU_IOAS_COPY: [
    ['the range to copy to', 'dst_iova', 'length', 'dst_ioas_id'],
    ['the range to copy from', 'src_iova', 'length', 'src_ioas_id'],
  ],
  IOMMU_IOAS_UNMAP: [['the range to unmap', 'iova', 'length']],
  IOMMU_HWPT_GET_DIRTY_BITMAP: [['the range to report', 'iova', 'length']],
  IOMMU_IOAS_NOIOMMU_GET_PA: [['the range to look up', 'iova', 'length']],
  'IOMMU_TEST_CMD DIRTY': [['the range to make dirty', 'iova', 'length']],
  VFIO_IOMMU_MAP_DMA: [['the range to map', 'iova', 'size']],
  VFIO_IOMMU_UNMAP_DMA: [['the range to unmap', 'iova', 'size']],
  'IOMMU_TEST_CMD ADD_RESERVED': [['the range to reserve', 'start', 'length']],
  'IOMMU_TEST_CMD MD_CHECK_MAP': [['the range to check', 'iova', 'length']],
  'IOMMU_TEST_CMD ACCESS_PAGES': [['the range to pin', 'iova', 'length']],
  'IOMMU_TEST_CMD ACCESS_RW': [['the range to access', 'iova', 'length']],
};

const MEMORY_FIELDS: Readonly<Record<string, readonly [address: string, length: string]>> = {
  IOMMU_IOAS_MAP: ['user_va', 'length'],
  VFIO_IOMMU_MAP_DMA: ['vaddr', 'size'],
  'IOMMU_TEST_CMD MD_CHECK_MAP': ['uptr', 'length'],
  'IOMMU_TEST_CMD MD_CHECK_REFS': ['uptr', 'length'],
  'IOMMU_TEST_CMD ACCESS_PAGES': ['uptr', 'length'],
  'IOMMU_TEST_CMD ACCESS_RW': ['uptr', 'length'],
};

/** Calls whose first member after the header is the descriptor of an access. */
const ACCESS_CALLS = new Set([
  'IOMMU_TEST_CMD ACCESS_PAGES',
  'IOMMU_TEST_CMD DESTROY_ACCESS_PAGES',
  'IOMMU_TEST_CMD ACCESS_RW',
  'IOMMU_TEST_CMD ACCESS_REPLACE_IOAS',
]);

const accessBehind = (
  world: World,
  call: IoctlCall,
  values: CallContext['values'],
): { readonly file: FileId; readonly object: ObjectId } | undefined => {
  const id = fileAt(world, call.process, fileDescriptor(Number(values.id ?? 0) | 0));
  const file = id === undefined ? undefined : openFile(world, id);
  return file?.kind === 'access' ? { file: file.iommufd, object: file.object } : undefined;
};

/** The context of an unknown call. */
export const NOTHING: CallContext = {
  file: undefined,
  context: undefined,
  shape: { name: '', argument: 'unused' },
  values: {},
  objects: [],
  spans: [],
  containers: [],
  containerRanges: [],
  memory: undefined,
};

const objectsNamed = (
  shape: CallShape,
  values: CallContext['values'],
  context: Context,
): readonly ObjectId[] => {
  const named = (OBJECT_FIELDS[shape.name] ?? []).map((field) =>
    objectId(Number(values[field] ?? 0)),
  );
  const usesCompat =
    (shape.name.startsWith('VFIO_') && !shape.name.startsWith('VFIO_DEVICE_')) ||
    shape.name === 'IOMMU_VFIO_IOAS';
  return usesCompat && context.compatIoas !== undefined ? [...named, context.compatIoas] : named;
};

/** A map that lets the kernel choose names no IOVA. */
const letsChoose = (what: string, shape: CallShape, values: CallContext['values']): boolean =>
  /^IOMMU_IOAS_(MAP|MAP_FILE|COPY)$/.test(shape.name) &&
  what !== 'the range to copy from' &&
  (Number(values.flags ?? 0) & MAP_FIXED_IOVA) === 0;

const spansOf = (
  shape: CallShape,
  values: CallContext['values'],
  context: Context,
  objects: readonly ObjectId[],
  after: CallContext['values'] | undefined,
): readonly Span[] =>
  (STRETCH_FIELDS[shape.name] ?? []).flatMap(([what, iova, length, object]) => {
    const start = object === undefined ? objects[0] : objectId(Number(values[object] ?? 0));
    const ioas = start === undefined ? undefined : ioasBehind(context, start);
    if (ioas === undefined) return [];
    const span = { ioas, length: big(values[length]) };
    if (!letsChoose(what, shape, values)) return [{ ...span, what, start: big(values[iova]) }];
    return after === undefined
      ? []
      : [{ ...span, what: 'the range that was chosen', start: big(after[iova]) }];
  });

type DecodedArgument = Pick<CallContext, 'shape' | 'values' | 'memory'>;

const inContainer = (
  file: FileId,
  call: IoctlCall | DmaCall,
  found: DecodedArgument,
): CallContext => ({
  ...NOTHING,
  ...found,
  containers: [file],
  containerRanges: containerRanges(call, found.shape, found.values),
});

/** The container or the IOAS through which the device's domain translates. */
const contextOfTransfer = (world: World, call: DmaCall): CallContext => {
  const { shape, values } = NOTHING;
  const id = fileOfContext(world, call, '', values);
  if (id === undefined) return NOTHING;
  if (isContainer(world, id)) return inContainer(id, call, { shape, values, memory: undefined });
  const device = fileAt(world, call.process, call.fd);
  const file = device === undefined ? undefined : openFile(world, device);
  const bound =
    file?.kind === 'device' || file?.kind === 'cdev' ? boundDeviceOf(world, file.name) : undefined;
  const iommufd = openFile(world, id);
  if (iommufd?.kind !== 'iommufd' || bound === undefined) return NOTHING;
  const { context } = iommufd;
  const ioas = ioasBehind(context, bound.object);
  const span = { what: 'the transfer', start: call.iova, length: BigInt(call.length) };
  return {
    ...NOTHING,
    file: id,
    context,
    objects: [bound.object],
    spans: ioas === undefined ? [] : [{ ...span, ioas }],
  };
};

/** For a call that names nothing: its reply depends on everything that is mapped. */
const contextOfStatus = (world: World): CallContext => {
  const containers = openFiles(world, 'container');
  const [file] = openFiles(world, 'iommufd');
  const iommufd = file === undefined ? undefined : openFile(world, file);
  return iommufd?.kind === 'iommufd'
    ? { ...NOTHING, file, context: iommufd.context, containers }
    : { ...NOTHING, containers };
};

const contextOfIoctl = (
  world: World,
  call: IoctlCall,
  observation: Observation | undefined,
): CallContext => {
  const shape = shapeOfCall(world, call);
  const values = structOf(shape, call.memory, call.argument);
  const after =
    observation === undefined || observation.errno !== 0
      ? undefined
      : structOf(shape, observation.memory, call.argument);
  const access = ACCESS_CALLS.has(shape.name) ? accessBehind(world, call, values) : undefined;
  const file = access?.file ?? fileOfContext(world, call, shape.name, values);
  const [address, size] = MEMORY_FIELDS[shape.name] ?? [];
  const memory =
    address === undefined || size === undefined
      ? undefined
      : { address: big(values[address]), length: big(values[size]) };
  const found = { shape, values, memory };
  if (file !== undefined && isContainer(world, file)) return inContainer(file, call, found);
  const iommufd = file === undefined ? undefined : openFile(world, file);
  if (iommufd?.kind !== 'iommufd') return { ...NOTHING, ...found };
  const { context } = iommufd;
  const named = objectsNamed(shape, values, context);
  const objects = access === undefined ? named : [access.object, ...named];
  const spans = spansOf(shape, values, context, objects, after);
  return { ...NOTHING, ...found, file, context, objects, spans };
};

/** The context of a call in the world before it. If the observation is a success, it has the kernel's choices too. */
export const callContextOf = (world: World, call: Call, observation?: Observation): CallContext =>
  match(call)
    .with({ kind: 'ioctl' }, (ioctl) => contextOfIoctl(world, ioctl, observation))
    .with({ kind: 'dma' }, (transfer) => contextOfTransfer(world, transfer))
    .with({ kind: 'status' }, () => contextOfStatus(world))
    .with({ kind: P.union('open', 'close', 'memfd', 'mmap', 'munmap', 'store') }, () => NOTHING)
    .exhaustive();

/** The table of the call's IOAS. */
export const tableOfCall = (about: CallContext): IoPagetable | undefined => {
  const { context, objects } = about;
  const [first] = objects;
  if (context === undefined || first === undefined) return undefined;
  const ioas = ioasBehind(context, first);
  const object = ioas === undefined ? undefined : objectAt(context, ioas);
  return object?.kind === 'ioas' ? object.table : undefined;
};
