// SPDX-License-Identifier: MIT
// What a map and an unmap of one area cost in a table of many: in the specification, and in the emulator.

import { EmulatedMachine } from '../../model/emulator/machine.ts';
import { ARENA_BASE, DATA_OFFSET, mapArena } from '../../model/programs/arena.ts';
import { startOfProgram } from '../../model/programs/builder.ts';
import { encode, type Layout } from '../../spec/abi/layout.ts';
import { IOMMU_IOAS_ALLOC, IOMMU_IOAS_MAP, IOMMU_IOAS_UNMAP } from '../../spec/abi/native.ts';
import { fileDescriptor, userAddress } from '../../spec/abi/units.ts';
import type { World } from '../../spec/state/world.ts';
import { step } from '../../spec/step.ts';
import type { IoctlCall } from '../../spec/terms/call.ts';
import { settingOf } from '../helpers/settings.ts';
import { type Measured, median } from './measured.ts';

const SIZES = [1000, 10_000, 100_000, 1_000_000] as const;
const PAGE = 4096n;
const FD = 3;

/** One ioctl as bytes at the arena's first address. */
type Prepared = { readonly command: number; readonly bytes: Uint8Array };

const prepared = (
  command: number,
  layout: Layout,
  fields: Readonly<Record<string, number | bigint>>,
): Prepared => ({
  command,
  bytes: encode(layout, { size: layout.size, ...fields }),
});

const ALLOC = prepared(0x3b81, IOMMU_IOAS_ALLOC, {});

const mapAt = (iova: bigint): Prepared =>
  prepared(0x3b85, IOMMU_IOAS_MAP, {
    flags: 7,
    ioas_id: 1,
    user_va: ARENA_BASE + DATA_OFFSET,
    length: PAGE,
    iova,
  });

const unmapAt = (iova: bigint): Prepared =>
  prepared(0x3b86, IOMMU_IOAS_UNMAP, { ioas_id: 1, iova, length: PAGE });

/** Areas are at every second page, so that a hole follows each. */
const areaIova = (index: number): bigint => BigInt(index) * 2n * PAGE;
const holeIova = (index: number): bigint => areaIova(index) + PAGE;

/** What is measured: it holds a table, and makes calls that all succeed. */
type Side = { readonly name: string; readonly make: (call: Prepared) => void };

const specification = (): Side => {
  const start = startOfProgram(settingOf('mock'));
  const advanced = (world: World, call: Parameters<typeof step>[1]): World => {
    const [outcome] = step(world, call);
    if (outcome?.kind !== 'reply' || outcome.errno !== 0) throw new Error('A call failed.');
    return outcome.world;
  };
  let world = advanced(start, { kind: 'open', process: 1, path: '/dev/iommu' });
  const make = ({ command, bytes }: Prepared): void => {
    const call: IoctlCall = {
      kind: 'ioctl',
      process: 1,
      fd: fileDescriptor(FD),
      command,
      argument: ARENA_BASE,
      memory: [{ address: userAddress(ARENA_BASE), bytes }],
    };
    // The arena's bytes are untracked: no call reads them again.
    const after = advanced(world, call);
    world = { ...after, memory: { ...after.memory, stores: undefined } };
  };
  make(ALLOC);
  return { name: 'specification', make };
};

const emulator = (): Side => {
  const machine = new EmulatedMachine(settingOf('mock'));
  mapArena(machine, ARENA_BASE);
  machine.open('/dev/iommu');
  const make = ({ command, bytes }: Prepared): void => {
    machine.store(ARENA_BASE, bytes);
    if (machine.ioctl(FD, command, ARENA_BASE) < 0) throw new Error('A call failed.');
  };
  make(ALLOC);
  return { name: 'emulator', make };
};

const BATCHES = 25;
const PAIRS = 400;

/** Places that are spread over the table, the same each time. */
const spread = (index: number, size: number): number =>
  (Math.imul(index + 1, 0x9e37_79b1) >>> 0) % size;

/** Microseconds of one call: the median of batches of map and unmap. */
const costAt = (side: Side, size: number): number => {
  const costs: number[] = [];
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const calls: Prepared[] = [];
    for (let pair = 0; pair < PAIRS; pair += 1) {
      const iova = holeIova(spread(batch * PAIRS + pair, size));
      calls.push(mapAt(iova), unmapAt(iova));
    }
    const start = performance.now();
    for (const call of calls) side.make(call);
    costs.push(((performance.now() - start) * 1000) / calls.length);
  }
  return median(costs);
};

export type SideCosts = {
  readonly name: string;
  /** Microseconds of a call in a table of that many mappings. */
  readonly costs: readonly { readonly size: number; readonly cost: number }[];
};

/** What a map or an unmap costs at each of the sizes, which ascend. */
export const costsBySize = (sizes: readonly number[]): readonly SideCosts[] =>
  [specification(), emulator()].map((side) => {
    let size = 0;
    // The first calls are slow, as nothing has been compiled yet.
    for (; size < (sizes[0] ?? 0); size += 1) side.make(mapAt(areaIova(size)));
    costAt(side, size);
    const costs = sizes.map((target) => {
      for (; size < target; size += 1) side.make(mapAt(areaIova(size)));
      return { size, cost: costAt(side, size) };
    });
    return { name: side.name, costs };
  });

export const stepCost = (): Promise<readonly Measured[]> =>
  Promise.resolve(
    costsBySize(SIZES).flatMap(({ name, costs }) =>
      costs.map(({ size, cost }) => ({
        what: `step, ${name}, ${size} mappings`,
        value: cost,
        unit: 'µs',
        note: `${(cost / (costs[0]?.cost ?? cost)).toFixed(2)} times that of ${SIZES[0]}; at most 3 are asked for`,
      })),
    ),
  );
