// SPDX-License-Identifier: MIT
// Laws over several calls from a world that was reached: inverses, and programs that reach the same world.

import type { Value } from '../../../model/programs/program.ts';
import { type ObjectId, U64_MAX } from '../../../spec/abi/units.ts';
import { translations } from '../../../spec/hardware/translate.ts';
import { areaLength } from '../../../spec/state/area.ts';
import { type Context, ioasAt, tableOf } from '../../../spec/state/context.ts';
import type { IoPagetable } from '../../../spec/state/io-pagetable.ts';
import { contextOf, type World } from '../../../spec/state/world.ts';
import {
  type Comparison,
  checkLaws,
  compared,
  DOES_NOT_APPLY,
  type Law,
  refinement,
} from '../../harness/law.ts';
import { comparable, difference, worldDifference } from '../../helpers/comparable.ts';
import { descriptorOf, ifAllSucceed } from '../../helpers/continue.ts';
import { arena, native, out, test, vfio } from '../../helpers/operations.ts';
import { areasOf, tablesOf } from '../../helpers/worlds.ts';

type Place = {
  readonly world: World;
  readonly fd: bigint;
  readonly context: Context;
  readonly ioas: ObjectId;
  readonly table: IoPagetable;
};

/** Every fifth visit that changed something: the last IOAS of a descriptor that is open. */
const onSomeIoas = (name: string, atLeast: number, compare: (place: Place) => Comparison): Law => {
  let count = 0;
  return refinement(name, atLeast, ({ before, after }) => {
    if (after === before) return DOES_NOT_APPLY;
    count += 1;
    if (count % 5 !== 0) return DOES_NOT_APPLY;
    for (const { context, ioas, table } of [...tablesOf(after)].reverse()) {
      const fd = descriptorOf(after, context.file);
      if (fd !== undefined) return compare({ world: after, fd: BigInt(fd), context, ioas, table });
    }
    return DOES_NOT_APPLY;
  });
};

const unmap = (label: string, { fd }: Place, ioas: Value, iova: bigint, length: bigint) =>
  native(label, fd, 'IOMMU_IOAS_UNMAP', { ioas_id: ioas, iova, length });

const FREE_OF_AREAS = { areas: [], pages: 0 };

/** A table without areas pins nothing, and no `pages` are left that only it mapped. */
const unmappingEverything = onSomeIoas('unmapping everything leaves nothing', 300, (place) => {
  const { world, context, ioas } = place;
  const ids = [...tablesOf(world)].filter((of) => of.context.file === context.file);
  const after = ifAllSucceed(
    world,
    ids.map((of) => unmap(`unmap${of.ioas}`, place, BigInt(of.ioas), 0n, U64_MAX)),
  );
  if (after === undefined) return compared('an unmap of everything failed');
  const emptied = contextOf(after, context.file);
  const { table } = ioasAt(emptied, ioas) as { table: IoPagetable };
  const left = { areas: areasOf(table), pages: emptied.pages?.size ?? 0 };
  return compared(difference(left, FREE_OF_AREAS));
});

const MAP_ALL = 7n;

/** Mapping what was free and unmapping it again leaves the world as it was. */
const mapThenUnmap = onSomeIoas('map, then unmap, changes nothing', 300, (place) => {
  const { world, fd, ioas } = place;
  const id = BigInt(ioas);
  const free = 0x123_4000n;
  const after = ifAllSucceed(world, [
    native('map', fd, 'IOMMU_IOAS_MAP', {
      flags: MAP_ALL,
      ioas_id: id,
      user_va: arena(0x3_0000n),
      length: 0x3000n,
      iova: free,
    }),
    unmap('unmap', place, id, free, 0x3000n),
  ]);
  return after === undefined ? DOES_NOT_APPLY : compared(worldDifference(world, after));
});

const spansOf = (
  world: World,
  file: number,
  hwpt: ObjectId,
  shift: bigint,
  from: bigint,
  last: bigint,
) =>
  [...translations(contextOf(world, file), hwpt)]
    .filter(({ iova }) => iova >= from && iova <= last)
    .map((span) => ({ ...span, iova: span.iova - shift }));

/** A copy translates to the same memory as its source, also after the source is unmapped. */
const copyThenUnmap = onSomeIoas('a copy outlives its source', 100, (place) => {
  const { world, fd, ioas, table, context } = place;
  const [source] = areasOf(table);
  const [hwpt] = table.domains;
  if (source === undefined || hwpt === undefined) return DOES_NOT_APPLY;
  const id = BigInt(ioas);
  const length = areaLength(source);
  const target = 0x5000_0000n + (source.key % 4096n);
  const flags = 1n | (source.value.writable ? 2n : 0n) | (source.value.readable ? 4n : 0n);
  const after = ifAllSucceed(world, [
    native('copy', fd, 'IOMMU_IOAS_COPY', {
      flags,
      dst_ioas_id: id,
      src_ioas_id: id,
      length,
      dst_iova: target,
      src_iova: source.key,
    }),
    unmap('unmap', place, id, source.key, length),
  ]);
  if (after === undefined) return DOES_NOT_APPLY;
  const { file } = context;
  return compared(
    difference(
      spansOf(after, file, hwpt, target, target, target + length - 1n),
      spansOf(world, file, hwpt, source.key, source.key, source.value.last),
    ),
  );
});

/** Where areas can be cut, unmapping a map in two parts is the same as unmapping it at once. */
const cutThenUnmap = onSomeIoas('unmapping in two parts is unmapping the whole', 10, (place) => {
  const { world, fd, ioas, table, context } = place;
  if (!table.largePagesDisabled || context.compatIoas !== ioas) return DOES_NOT_APPLY;
  const area = areasOf(table).find((node) => areaLength(node) >= 8192n);
  if (area === undefined) return DOES_NOT_APPLY;
  const length = areaLength(area);
  const part = (label: string, iova: bigint, size: bigint) =>
    vfio(label, fd, 'VFIO_IOMMU_UNMAP_DMA', { iova, size });
  const whole = ifAllSucceed(world, [part('whole', area.key, length)]);
  const parts = ifAllSucceed(world, [
    part('last', area.key + 4096n, length - 4096n),
    part('first', area.key, 4096n),
  ]);
  if (whole === undefined || parts === undefined) return DOES_NOT_APPLY;
  return compared(worldDifference(whole, parts));
});

/** A device that comes and goes leaves the table as it was: its alignment, what is reserved, what is pinned. */
const attachThenDetach = onSomeIoas('attach, then detach, changes nothing', 200, (place) => {
  const { world, fd, ioas } = place;
  const after = ifAllSucceed(world, [
    test('mock', fd, 'MOCK_DOMAIN', { id: BigInt(ioas) }),
    native('destroy', fd, 'IOMMU_DESTROY', { id: out('mock', 'out_stdev_id') }),
  ]);
  return after === undefined ? DOES_NOT_APPLY : compared(worldDifference(world, after));
});

/** The same for an access that pins everything it can. */
const accessThenClose = onSomeIoas('an access that goes leaves nothing', 200, (place) => {
  const { world, fd, ioas, table } = place;
  const access = out('access', 'out_access_fd');
  const pins = areasOf(table).map(({ key, value }) =>
    test(`pin${key}`, fd, 'ACCESS_PAGES', { id: access, iova: key, length: value.last - key + 1n }),
  );
  const made = ifAllSucceed(world, [
    test('access', fd, 'CREATE_ACCESS', { id: BigInt(ioas), flags: 1n }),
  ]);
  if (made === undefined) return DOES_NOT_APPLY;
  const after = ifAllSucceed(world, [
    test('access', fd, 'CREATE_ACCESS', { id: BigInt(ioas), flags: 1n }),
    { op: 'close', label: 'close', fd: access },
  ]);
  const pinned = ifAllSucceed(world, [
    test('access', fd, 'CREATE_ACCESS', { id: BigInt(ioas), flags: 1n }),
    ...pins,
    { op: 'close', label: 'close', fd: access },
  ]);
  if (after === undefined) return compared('its descriptor cannot be closed');
  return compared(
    worldDifference(world, after) ??
      (pinned === undefined ? undefined : worldDifference(world, pinned)),
  );
});

/** An IOAS that is made and destroyed, with something mapped, leaves the world as it was. */
const allocThenDestroy = onSomeIoas('destroying an IOAS removes its maps', 300, ({ world, fd }) => {
  const after = ifAllSucceed(world, [
    native('ioas', fd, 'IOMMU_IOAS_ALLOC', {}),
    native('map', fd, 'IOMMU_IOAS_MAP', {
      flags: MAP_ALL,
      ioas_id: out('ioas', 'out_ioas_id'),
      user_va: arena(0x3_0000n),
      length: 0x1000n,
      iova: 0n,
    }),
    native('destroy', fd, 'IOMMU_DESTROY', { id: out('ioas', 'out_ioas_id') }),
  ]);
  return after === undefined
    ? compared('it failed')
    : compared(difference(comparable(world), comparable(after)));
});

/** Allowing what is allowed already, and disabling large pages twice, changes nothing the second time. */
const optionsSettle = onSomeIoas(
  'setting large pages twice equals setting them once',
  200,
  ({ world, fd, ioas }) => {
    for (const value of [0n, 1n]) {
      const set = (label: string) =>
        native(label, fd, 'IOMMU_OPTION', {
          option_id: 1n,
          op: 0n,
          object_id: BigInt(ioas),
          val64: value,
        });
      const once = ifAllSucceed(world, [set('once')]);
      const twice = ifAllSucceed(world, [set('once'), set('twice')]);
      if (once === undefined) continue;
      if (twice === undefined) return compared('the second time fails');
      const changed = worldDifference(once, twice);
      if (changed !== undefined) return compared(changed);
    }
    return { kind: 'same' };
  },
);

/** A chosen IOVA is one at which a fixed map would have succeeded. */
const chosenIsFixed = onSomeIoas('a chosen IOVA could have been asked for', 200, (place) => {
  const { world, fd, ioas, context } = place;
  const map = (flags: bigint, iova: bigint) => [
    native('map', fd, 'IOMMU_IOAS_MAP', {
      flags,
      ioas_id: BigInt(ioas),
      user_va: arena(0x3_0000n),
      length: 0x2000n,
      iova,
    }),
  ];
  const chosen = ifAllSucceed(world, map(6n, 0n));
  if (chosen === undefined) return DOES_NOT_APPLY;
  const earlier = new Set(areasOf(tableOf(context, ioas)).map(({ key }) => key));
  const area = areasOf(tableOf(contextOf(chosen, context.file), ioas)).find(
    ({ key }) => !earlier.has(key),
  );
  if (area === undefined) return compared('no area is new');
  const fixed = ifAllSucceed(world, map(7n, area.key));
  return compared(fixed === undefined ? 'a fixed map there fails' : worldDifference(chosen, fixed));
});

checkLaws('programs that reach the same world', [
  unmappingEverything,
  mapThenUnmap,
  copyThenUnmap,
  cutThenUnmap,
  attachThenDetach,
  accessThenClose,
  allocThenDestroy,
  optionsSettle,
  chosenIsFixed,
]);
