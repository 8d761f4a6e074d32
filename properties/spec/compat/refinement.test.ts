// The VFIO calls of an iommufd are its native calls under other names: what MAP_DMA and UNMAP_DMA do, IOAS_MAP and
// IOAS_UNMAP do on the IOAS for VFIO calls, but for the differences that are written here.

import { decode } from '../../../spec/abi/layout.ts';
import { IOMMU_IOAS_UNMAP } from '../../../spec/abi/native.ts';
import { objectId, U64_MAX } from '../../../spec/abi/units.ts';
import {
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_TYPE1_DMA_MAP,
  VFIO_IOMMU_TYPE1_DMA_UNMAP,
  VFIO_IOMMU_UNMAP_DMA,
} from '../../../spec/abi/vfio.ts';
import { type Context, tableOf } from '../../../spec/iommufd/context.ts';
import { areaLength } from '../../../spec/iopt/area.ts';
import { step } from '../../../spec/step.ts';
import { contextOf, fileAt, openFile, type World } from '../../../spec/world.ts';
import { worldDifference } from '../../comparable.ts';
import { continued } from '../../continue.ts';
import { checkLaws, compared, DOES_NOT_APPLY, refinement } from '../../law.ts';
import { native } from '../../operations.ts';
import type { Visit } from '../../visits.ts';
import { areasOf } from '../../worlds.ts';

type OnCompatIoas = {
  readonly fd: bigint;
  readonly context: Context;
  readonly ioas: bigint;
  readonly bytes: Uint8Array;
};

/** A VFIO call whose struct is whole and that finds an IOAS. */
const onCompatIoas = (visit: Visit, command: number, size: number): OnCompatIoas | undefined => {
  const { call, before } = visit;
  if (call.kind !== 'ioctl' || call.command !== command) return undefined;
  const id = fileAt(before, call.process, call.fd);
  const file = id === undefined ? undefined : openFile(before, id);
  const bytes = call.memory[0]?.bytes;
  if (file?.kind !== 'iommufd' || bytes === undefined || bytes.length < size) return undefined;
  const { context } = file;
  if (context.compatIoas === undefined) return undefined;
  return { fd: BigInt(call.fd), context, ioas: BigInt(context.compatIoas), bytes };
};

const RULE_OF_NATIVE: Readonly<Record<string, string>> = {
  'VFIO_IOMMU_MAP_DMA/maps': 'IOMMU_IOAS_MAP/maps',
  'VFIO_IOMMU_UNMAP_DMA/unmaps': 'IOMMU_IOAS_UNMAP/unmaps',
  'VFIO_IOMMU_UNMAP_DMA/unmaps-all': 'IOMMU_IOAS_UNMAP/unmaps-all',
};

const OWN_REFUSALS = new Set([
  'VFIO_IOMMU_MAP_DMA/unknown-flags',
  'VFIO_IOMMU_MAP_DMA/too-short',
  'VFIO_IOMMU_MAP_DMA/fault',
  'VFIO_IOMMU_UNMAP_DMA/unknown-flags',
  'VFIO_IOMMU_UNMAP_DMA/too-short',
  'VFIO_IOMMU_UNMAP_DMA/fault',
  'VFIO_IOMMU_UNMAP_DMA/all-with-range',
  'VFIO_IOMMU_UNMAP_DMA/unmaps-unanswered',
]);

/** The rule that answers the native call where the VFIO call is answered by this one. */
const nativeRule = (rule: string): string => RULE_OF_NATIVE[rule] ?? rule;

const MAP_FIXED = 1n;
const WRITEABLE = 2n;
const READABLE = 4n;

/**
 * MAP_DMA with READ, WRITE or both is IOAS_MAP at a fixed IOVA with the same permissions: the same answer by the same
 * rule, and the same world. The native call also refuses the greatest u64.
 */
const mapDmaIsIoasMap = refinement('MAP_DMA is IOAS_MAP at a fixed IOVA', 300, (visit) => {
  const on = onCompatIoas(visit, VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_TYPE1_DMA_MAP.size);
  if (on === undefined || visit.rule === undefined || OWN_REFUSALS.has(visit.rule.id))
    return DOES_NOT_APPLY;
  const { flags, vaddr, iova, size } = decode(VFIO_IOMMU_TYPE1_DMA_MAP, on.bytes);
  if ((flags & 3) === 0 || iova === U64_MAX || size === U64_MAX) return DOES_NOT_APPLY;
  const permissions = ((flags & 1) !== 0 ? READABLE : 0n) | ((flags & 2) !== 0 ? WRITEABLE : 0n);
  const { world, expected } = continued(visit.before, [
    native('map', on.fd, 'IOMMU_IOAS_MAP', {
      flags: MAP_FIXED | permissions,
      ioas_id: on.ioas,
      user_va: vaddr,
      length: size,
      iova,
    }),
  ]);
  const rule = expected[0]?.rule?.id;
  return compared(
    rule === nativeRule(visit.rule.id)
      ? worldDifference(visit.after, world)
      : `${visit.rule.id} and ${rule}`,
  );
});

/** How many bytes are mapped in the IOAS for VFIO calls. */
const bytesMapped = (world: World, { context, ioas }: OnCompatIoas): bigint => {
  const table = tableOf(contextOf(world, context.file), objectId(Number(ioas)));
  return areasOf(table).reduce((sum, node) => sum + areaLength(node), 0n);
};

/** How many bytes UNMAP_DMA says that it unmapped. */
const reportedBytes = ({ before, call }: Visit): bigint | undefined => {
  const [outcome] = step(before, call);
  const struct = outcome?.kind === 'reply' ? outcome.writes.at(-1)?.bytes : undefined;
  return struct && decode(VFIO_IOMMU_TYPE1_DMA_UNMAP, struct).size;
};

/**
 * UNMAP_DMA where nothing is cut is IOAS_UNMAP of the range, and with ALL of everything. Differences: the native call
 * refuses a range in which nothing is mapped, and the greatest u64; it does not report what it unmapped when it fails.
 */
const unmapDmaIsIoasUnmap = refinement(
  'UNMAP_DMA is IOAS_UNMAP where nothing is cut',
  200,
  (visit) => {
    const on = onCompatIoas(visit, VFIO_IOMMU_UNMAP_DMA, VFIO_IOMMU_TYPE1_DMA_UNMAP.size);
    if (on === undefined || visit.rule === undefined || OWN_REFUSALS.has(visit.rule.id))
      return DOES_NOT_APPLY;
    const { flags, iova, size } = decode(VFIO_IOMMU_TYPE1_DMA_UNMAP, on.bytes);
    const all = flags === 2;
    if (!all && tableOf(on.context, objectId(Number(on.ioas))).largePagesDisabled)
      return DOES_NOT_APPLY;
    if (!all && (iova === U64_MAX || size === U64_MAX)) return DOES_NOT_APPLY;
    const { world, expected } = continued(visit.before, [
      native('unmap', on.fd, 'IOMMU_IOAS_UNMAP', {
        ioas_id: on.ioas,
        iova: all ? 0n : iova,
        length: all ? U64_MAX : size,
      }),
    ]);
    const [reply] = expected;
    const rule = reply?.rule?.id;
    const bytes = bytesMapped(visit.before, on) - bytesMapped(visit.after, on);
    const told = reportedBytes(visit);
    if (told !== bytes) return compared(`UNMAP_DMA reports ${told} bytes of ${bytes}`);
    if (!all && bytes === 0n && visit.result === 0) {
      return compared(
        rule === 'IOMMU_IOAS_UNMAP/nothing-mapped' ? undefined : `empty range: ${rule}`,
      );
    }
    if (rule !== nativeRule(visit.rule.id)) return compared(`${visit.rule.id} and ${rule}`);
    const struct = reply?.after[0]?.bytes;
    if (
      visit.result === 0 &&
      struct !== undefined &&
      decode(IOMMU_IOAS_UNMAP, struct).length !== bytes
    ) {
      return compared(`reports ${decode(IOMMU_IOAS_UNMAP, struct).length} bytes of ${bytes}`);
    }
    return compared(worldDifference(visit.after, world));
  },
);

checkLaws('VFIO calls refine native ones', [mapDmaIsIoasMap, unmapDmaIsIoasUnmap]);
