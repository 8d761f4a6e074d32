// SPDX-License-Identifier: MIT
// The VFIO calls of an iommufd are native calls with other names: MAP_DMA and UNMAP_DMA do what
// IOAS_MAP and IOAS_UNMAP do on the compatibility IOAS, except for the differences listed here.

import { decode, encode, type Layout } from '../../spec/abi/layout.ts';
import {
  IOMMU_IOAS_MAP,
  IOMMU_IOAS_UNMAP,
  MAP_FIXED_IOVA,
  MAP_READABLE,
  MAP_WRITEABLE,
  NATIVE_CALLS,
} from '../../spec/abi/native.ts';
import { objectId, U64_MAX, userAddress } from '../../spec/abi/units.ts';
import {
  VFIO_DMA_MAP_FLAG_READ,
  VFIO_DMA_MAP_FLAG_WRITE,
  VFIO_DMA_UNMAP_FLAG_ALL,
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_TYPE1_DMA_MAP,
  VFIO_IOMMU_TYPE1_DMA_UNMAP,
  VFIO_IOMMU_UNMAP_DMA,
} from '../../spec/abi/vfio.ts';
import type { Reply } from '../../spec/outcome/outcome.ts';
import { type RuleId, ruleIdOf } from '../../spec/rules.ts';
import { areaLength } from '../../spec/state/area.ts';
import { type Context, tableOf } from '../../spec/state/context.ts';
import { contextOf, fileAt, openFile, type World } from '../../spec/state/world.ts';
import { step } from '../../spec/step.ts';
import type { IoctlCall, Segment } from '../../spec/terms/call.ts';
import type { Rule } from '../../spec/terms/rule.ts';
import { ARENA_BASE } from '../programs/arena.ts';
import { type Comparison, compared, type DifferenceOf, DOES_NOT_APPLY, type Made } from './law.ts';
import { areasOf } from './worlds.ts';

export type Refinement = {
  readonly name: string;
  readonly compare: (made: Made, differenceOf: DifferenceOf) => Comparison;
};

type OnCompatIoas = {
  readonly call: IoctlCall;
  readonly context: Context;
  readonly ioas: number;
  readonly bytes: Uint8Array;
};

/** A VFIO call with a whole struct, and its compatibility IOAS. */
const onCompatIoas = (
  { call, before }: Made,
  command: number,
  size: number,
): OnCompatIoas | undefined => {
  if (call.kind !== 'ioctl' || call.command !== command) return undefined;
  const id = fileAt(before, call.process, call.fd);
  const file = id === undefined ? undefined : openFile(before, id);
  const bytes = call.memory[0]?.bytes;
  if (file?.kind !== 'iommufd' || bytes === undefined || bytes.length < size) return undefined;
  const { context } = file;
  if (context.compatIoas === undefined) return undefined;
  return { call, context, ioas: context.compatIoas, bytes };
};

/** The reply of a native call instead, with a struct that the program may read and write. */
const nativeReply = (
  before: World,
  { call }: OnCompatIoas,
  layout: Layout,
  fields: Readonly<Record<string, number | bigint>>,
): Reply | undefined => {
  const command = NATIVE_CALLS.find((native) => native.layout === layout)?.command;
  if (command === undefined) throw new Error(`No native call has the struct ${layout.name}.`);
  const bytes = encode(layout, { size: layout.size, ...fields });
  const [outcome] = step(before, {
    ...call,
    command,
    argument: ARENA_BASE,
    memory: [{ address: userAddress(ARENA_BASE), bytes }],
  });
  return outcome?.kind === 'reply' ? outcome : undefined;
};

const RULE_OF_NATIVE: Readonly<Partial<Record<RuleId, RuleId>>> = {
  'compat-map-dma/maps': 'ioas-map/maps',
  'compat-unmap-dma/unmaps': 'ioas-unmap/unmaps',
  'compat-unmap-dma/unmaps-all': 'ioas-unmap/unmaps-all',
};

const OWN_REFUSALS: ReadonlySet<string> = new Set<RuleId>([
  'compat-map-dma/unknown-flags',
  'compat-map-dma/too-short',
  'compat-map-dma/struct-fault',
  'compat-unmap-dma/unknown-flags',
  'compat-unmap-dma/too-short',
  'compat-unmap-dma/struct-fault',
  'compat-unmap-dma/all-with-range',
  'compat-unmap-dma/reply-fault',
]);

/** The rule of the native call for this rule of the VFIO call. */
const nativeRule = (rule: Rule): RuleId => RULE_OF_NATIVE[ruleIdOf(rule)] ?? ruleIdOf(rule);

const permissionsOf = (flags: number): number =>
  ((flags & VFIO_DMA_MAP_FLAG_READ) !== 0 ? MAP_READABLE : 0) |
  ((flags & VFIO_DMA_MAP_FLAG_WRITE) !== 0 ? MAP_WRITEABLE : 0);

/**
 * MAP_DMA with READ, WRITE or both is IOAS_MAP at a fixed IOVA with the same permissions: the same
 * reply by the same rule, and the same world. The native call also refuses U64_MAX.
 */
const mapDmaIsIoasMap: Refinement = {
  name: 'MAP_DMA is IOAS_MAP at a fixed IOVA',
  compare: (made, differenceOf) => {
    const on = onCompatIoas(made, VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_TYPE1_DMA_MAP.size);
    if (on === undefined || made.rule === undefined || OWN_REFUSALS.has(made.rule.id))
      return DOES_NOT_APPLY;
    const { flags, vaddr, iova, size } = decode(VFIO_IOMMU_TYPE1_DMA_MAP, on.bytes);
    const permissions = permissionsOf(flags);
    if (permissions === 0 || iova === U64_MAX || size === U64_MAX) return DOES_NOT_APPLY;
    const reply = nativeReply(made.before, on, IOMMU_IOAS_MAP, {
      flags: MAP_FIXED_IOVA | permissions,
      ioas_id: on.ioas,
      user_va: vaddr,
      length: size,
      iova,
    });
    return compared(
      reply?.rule.id === nativeRule(made.rule)
        ? differenceOf(made.after, reply.world)
        : `${made.rule.id} and ${reply?.rule.id}`,
    );
  },
};

/** How many bytes are mapped in the compatibility IOAS. */
const bytesMapped = (world: World, { context, ioas }: OnCompatIoas): bigint => {
  const table = tableOf(contextOf(world, context.file), objectId(ioas));
  return areasOf(table).reduce((sum, node) => sum + areaLength(node), 0n);
};

const writesOf = ({ before, call }: Made): readonly Segment[] => {
  const [outcome] = step(before, call);
  return outcome?.kind === 'reply' ? outcome.writes : [];
};

/** How many bytes UNMAP_DMA reports as unmapped. */
const reportedBytes = (made: Made): bigint | undefined => {
  const struct = (made.writes ?? writesOf(made)).at(-1)?.bytes;
  return struct && decode(VFIO_IOMMU_TYPE1_DMA_UNMAP, struct).size;
};

/**
 * UNMAP_DMA without cuts is IOAS_UNMAP of the range; with ALL, of everything. Differences: the
 * native call refuses an empty range and U64_MAX, and does not report the unmapped bytes when it
 * fails.
 */
const unmapDmaIsIoasUnmap: Refinement = {
  name: 'UNMAP_DMA is IOAS_UNMAP where nothing is cut',
  compare: (made, differenceOf) => {
    const on = onCompatIoas(made, VFIO_IOMMU_UNMAP_DMA, VFIO_IOMMU_TYPE1_DMA_UNMAP.size);
    if (on === undefined || made.rule === undefined || OWN_REFUSALS.has(made.rule.id))
      return DOES_NOT_APPLY;
    const { flags, iova, size } = decode(VFIO_IOMMU_TYPE1_DMA_UNMAP, on.bytes);
    const all = flags === VFIO_DMA_UNMAP_FLAG_ALL;
    if (!all && tableOf(on.context, objectId(on.ioas)).largePagesDisabled) return DOES_NOT_APPLY;
    if (!all && (iova === U64_MAX || size === U64_MAX)) return DOES_NOT_APPLY;
    const reply = nativeReply(made.before, on, IOMMU_IOAS_UNMAP, {
      ioas_id: on.ioas,
      iova: all ? 0n : iova,
      length: all ? U64_MAX : size,
    });
    const rule = reply && ruleIdOf(reply.rule);
    const bytes = bytesMapped(made.before, on) - bytesMapped(made.after, on);
    const reported = reportedBytes(made);
    if (reported !== bytes) return compared(`UNMAP_DMA reports ${reported} bytes of ${bytes}`);
    if (!all && bytes === 0n && made.result === 0) {
      return compared(rule === 'ioas-unmap/nothing-mapped' ? undefined : `empty range: ${rule}`);
    }
    if (reply === undefined || rule !== nativeRule(made.rule)) {
      return compared(`${made.rule.id} and ${rule}`);
    }
    const struct = reply.writes.at(-1)?.bytes;
    const reportedByNative = struct && decode(IOMMU_IOAS_UNMAP, struct).length;
    if (made.result === 0 && reportedByNative !== bytes) {
      return compared(`IOAS_UNMAP reports ${reportedByNative} bytes of ${bytes}`);
    }
    return compared(differenceOf(made.after, reply.world));
  },
};

export const REFINEMENTS: readonly Refinement[] = [mapDmaIsIoasMap, unmapDmaIsIoasUnmap];
