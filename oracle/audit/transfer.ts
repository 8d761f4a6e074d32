// SPDX-License-Identifier: MIT
// Shows what devices reach, which no reply does: a device writes to an IOVA that is the program's memory on one side only,
// and the program checks whether the memory changed.

import { ARENA_BASE, DATA_LENGTH, DATA_OFFSET } from '../../model/programs/arena.ts';
import { startOfProgram } from '../../model/programs/builder.ts';
import type { Operation, Program } from '../../model/programs/program.ts';
import { PROCESS } from '../../model/programs/run.ts';
import { VFIO_GROUP_GET_DEVICE_FD } from '../../spec/abi/vfio.ts';
import { frameAt } from '../../spec/selftest/frames.ts';
import type { World } from '../../spec/state/world.ts';
import type { AuditedRelease } from '../emit/audited-releases.ts';
import { type Located, settingOn } from './located.ts';
import { startOfPair } from './pair.ts';
import { openDevices, type Span, through } from './reach.ts';
import { resultOf } from './requests/make.ts';

const PAGE = 4096n;
/** Bytes that the device writes. */
export const WRITTEN = 8;
/** No program of the audit maps this IOVA: the device reads zeros there. */
const NOTHING = 0x7ff_f000n;
/** Each checked byte before the device writes zeros. */
export const FILLED = 0xff;

export type Transfer = {
  /** The program, then the operations that show the difference; the last one is the device's write. */
  readonly program: Program;
  readonly device: string;
  readonly iova: bigint;
  /** Whether the device changes the memory that the program checks. */
  readonly reaches: { readonly legacy: boolean; readonly compat: boolean };
};

/** The pages of the program's data: arena offset, backing and page. */
function* dataOf(
  world: World,
): Generator<readonly [offset: bigint, backing: number, page: number]> {
  for (let offset = DATA_OFFSET; offset < DATA_OFFSET + DATA_LENGTH; offset += PAGE) {
    const found = frameAt(world.memory, PROCESS, ARENA_BASE + offset);
    if (found.kind === 'frame') yield [offset, found.frame.backing, found.frame.page];
  }
}

/** The IOVAs through which the device can write the program's data, each with its arena offset. */
const targetsOf = (world: World, name: string): ReadonlyMap<bigint, bigint> => {
  const data = [...dataOf(world)];
  const targets = new Map<bigint, bigint>();
  for (const { iova, backing, page, offset, writable } of through(world, name) as Span[]) {
    const target = data.find(([, b, p]) => b === backing && p === page);
    if (writable && target !== undefined) targets.set(iova, target[0] + BigInt(offset));
  }
  return targets;
};

type Difference = {
  readonly device: string;
  readonly iova: bigint;
  readonly look: bigint;
  readonly reaches: Transfer['reaches'];
};

const differenceOf = (legacy: World, compat: World): Difference | undefined => {
  const devices = openDevices(legacy).filter((name) => openDevices(compat).includes(name));
  const engines = legacy.setting.platform.devices.filter(({ dmaEngine }) => dmaEngine === true);
  for (const device of devices.filter((name) => engines.some((each) => each.name === name))) {
    const [one, other] = [targetsOf(legacy, device), targetsOf(compat, device)];
    for (const iova of [...one.keys(), ...other.keys()]) {
      const look = one.get(iova) ?? other.get(iova);
      if (look === undefined || one.get(iova) === other.get(iova)) continue;
      const reaches = { legacy: one.get(iova) === look, compat: other.get(iova) === look };
      return { device, iova, look, reaches };
    }
  }
  return undefined;
};

const nameIn = (operation: Operation): string | undefined =>
  operation.op === 'ioctl' &&
  operation.command === VFIO_GROUP_GET_DEVICE_FD &&
  operation.argument.kind === 'bytes'
    ? Buffer.from(operation.argument.hex, 'hex').subarray(0, -1).toString('latin1')
    : undefined;

/** The transfer that shows the cause's difference in what devices reach; undefined if no write can. */
export const transferFor = (release: AuditedRelease, found: Located): Transfer | undefined => {
  const pair = startOfPair(startOfProgram(settingOn(release, found.scenario)));
  for (const operation of found.program) pair.add(operation);
  const difference = differenceOf(pair.legacy.world, pair.compat.world);
  if (difference === undefined) return undefined;
  const { device, iova, look, reaches } = difference;
  const opened = found.program.findLast((operation) => nameIn(operation) === device);
  if (opened === undefined) return undefined;
  const fd = resultOf(opened.label);
  const length = WRITTEN;
  return {
    device,
    iova,
    reaches,
    program: [
      ...found.program,
      { op: 'dma', label: 'readNothing', fd, direction: 'read', iova: NOTHING, length },
      { op: 'store', label: 'fill', offset: look, hex: FILLED.toString(16).repeat(WRITTEN) },
      { op: 'dma', label: 'write', fd, direction: 'write', iova, length, look },
    ],
  };
};
