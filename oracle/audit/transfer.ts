// SPDX-License-Identifier: MIT
// What devices reach shows in no reply: a device is reported to write at an IOVA where only one side leads it to memory, and
// the program checks whether its memory changed.

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
/** Bytes that are written. */
export const WRITTEN = 8;
/** No program of the audit maps anything there: what the device reads there is zeros. */
const NOTHING = 0x7ff_f000n;
/** Each byte of what the program checks, before the device writes zeros there. */
export const FILLED = 0xff;

export type Transfer = {
  /** The program with what shows the difference behind it; its last operation is the device's write. */
  readonly program: Program;
  readonly device: string;
  readonly iova: bigint;
  /** Whether the device changes the memory that the program checks. */
  readonly reaches: { readonly legacy: boolean; readonly compat: boolean };
};

/** Where the program has its memory, as arena offsets with what follows it now. */
function* dataOf(
  world: World,
): Generator<readonly [offset: bigint, backing: number, page: number]> {
  for (let offset = DATA_OFFSET; offset < DATA_OFFSET + DATA_LENGTH; offset += PAGE) {
    const found = frameAt(world.memory, PROCESS, ARENA_BASE + offset);
    if (found.kind === 'frame') yield [offset, found.frame.backing, found.frame.page];
  }
}

/** Each IOVA at which the device may write into memory that the program sees, with where it sees it. */
const targetsOf = (world: World, name: string): ReadonlyMap<bigint, bigint> => {
  const data = [...dataOf(world)];
  const targets = new Map<bigint, bigint>();
  for (const { iova, backing, page, offset, writable } of through(world, name) as Span[]) {
    const place = data.find(([, b, p]) => b === backing && p === page);
    if (writable && place !== undefined) targets.set(iova, place[0] + BigInt(offset));
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
  const reported = legacy.setting.platform.devices.filter(({ dmaEngine }) => dmaEngine === true);
  for (const device of devices.filter((name) => reported.some((each) => each.name === name))) {
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

/** The transfer that shows what a cause says of what devices reach; undefined where a write shows nothing of it. */
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
