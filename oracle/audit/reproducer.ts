// The C file of a row: its shortest program on both sides, for who has neither this project nor its kernels.

import { ARENA_BASE } from '../../model/programs/arena.ts';
import { type Expectation, startOfProgram } from '../../model/programs/builder.ts';
import type { Operation, Program } from '../../model/programs/program.ts';
import type { Platform, PlatformDevice } from '../../spec/terms/platform.ts';
import type { ReleaseName } from '../../spec/terms/releases.ts';
import type { Rule } from '../../spec/terms/rule.ts';
import { usesDevice } from '../emit/c-program.ts';
import { c, cHex } from '../emit/c-text.ts';
import { isGroupOf, type Look, type NamedDevice, twoSidedProgram } from '../emit/two-sides.ts';
import { wrapped } from '../text/lines.ts';
import type { TracedStep } from '../trace/step-json.ts';
import { withLooks } from './confirm.ts';
import { type Located, settingOn } from './located.ts';
import { looksAt } from './looks.ts';
import type { Row } from './row.ts';
import { programOn } from './side.ts';
import { FILLED, type Transfer, transferFor, WRITTEN } from './transfer.ts';
import { startOfTwin } from './twin.ts';

const stepOf = ({ call, result, after }: Expectation): TracedStep => ({
  call,
  observation:
    result < 0
      ? { result: -1, errno: -result, memory: after }
      : { result, errno: 0, memory: after },
});

const transferLook = ({ program, reaches }: Transfer): Look => {
  const place = program.at(-1);
  const look = place?.op === 'dma' ? (place.look ?? 0n) : 0n;
  const left = BigInt(`0x${FILLED.toString(16).repeat(WRITTEN)}`);
  return {
    text: 'the memory: the device writes zeros',
    read: () => c`*(__u64 *)(ARENA + ${cHex(look)})`,
    type1: reaches.legacy ? 0n : left,
    iommufd: reaches.compat ? 0n : left,
  };
};

const isCharge = ({ what }: Located): boolean => /charged/.test(what);

/** The program that shows the cause, and what is looked at when it is over. */
const shownBy = (
  release: ReleaseName,
  found: Located,
): { readonly program: Program; readonly transfer: Transfer | undefined } => {
  const transfer = /devices reach/.test(found.what) ? transferFor(release, found) : undefined;
  if (transfer !== undefined) return { program: transfer.program, transfer };
  return { program: isCharge(found) ? withLooks(found.program) : found.program, transfer };
};

const bytesOf = (expectation: Expectation | undefined): Uint8Array =>
  expectation?.after[0]?.bytes ?? new Uint8Array();

const layoutOf = (operation: Operation | undefined): string =>
  operation?.op === 'ioctl' && operation.argument.kind === 'struct'
    ? operation.argument.layout
    : '';

const isUsedBy = (device: PlatformDevice, operation: Operation): boolean => {
  if (operation.op === 'open') return isGroupOf(device, operation.path);
  if (operation.op !== 'ioctl' || operation.argument.kind !== 'bytes') return false;
  return Buffer.from(operation.argument.hex, 'hex').includes(device.name);
};

/** Devices that the program names, or whose group it opens. */
const devicesIn = ({ ground }: Located, program: Program): readonly NamedDevice[] =>
  ground.platform.devices.filter((device) =>
    program.some((operation) => isUsedBy(device, operation)),
  );

const sideSays = (name: string, rule: Rule, answers: string): readonly string[] =>
  wrapped(`${name}: ${answers}. ${rule.says} (${rule.source})`, '', '  ');

const usageLines = (
  devices: readonly NamedDevice[],
  { groupsInUse }: Platform,
): readonly string[] => {
  if (devices.length === 0) return [];
  const number = devices.length === 1 ? 'a device' : `${devices.length} devices`;
  const where =
    groupsInUse === undefined
      ? 'each alone in its group'
      : 'in a group with another that a driver of the kernel uses';
  const names = devices.map(({ name }) => name).join(', ');
  return wrapped(`Arguments: ${number} of VFIO, ${where} (${names} if there are none).`, '');
};

const exitLines = wrapped(
  'The same calls are made on /dev/vfio/vfio and on /dev/iommu, each time in a process of its own, and what they give is printed side by side. Exit status: 0 both sides answer as described, 1 they do not, 2 the program cannot set itself up, 3 this machine lacks something.',
  '',
);

/** A row's C file, and what it names that another machine may have elsewhere. */
export type Reproducer = {
  readonly text: string;
  /** The devices, in the order of the arguments. */
  readonly devices: readonly string[];
  /** The argument behind them is a file to map registers of. */
  readonly mapsRegisters: boolean;
};

export const reproducerOf = (release: ReleaseName, { description, seen }: Row): Reproducer => {
  const [found] = seen;
  const { program, transfer } = shownBy(release, found);
  const setting = settingOn(release, found.ground);
  const twin = startOfTwin(startOfProgram(setting));
  for (const operation of program) twin.add(operation);
  const steps = (all: readonly Expectation[], made: Program): readonly TracedStep[] =>
    made.map((_, index) => stepOf(all[index] as Expectation));
  const looks =
    transfer === undefined
      ? looksAt(
          found.what,
          layoutOf(program.at(-1)),
          bytesOf(twin.legacy.expectations.at(-1)),
          bytesOf(twin.compat.expectations.at(-1)),
        )
      : [transferLook(transfer)];
  const devices = devicesIn(found, program);
  const text = twoSidedProgram({
    setting,
    base: ARENA_BASE,
    program,
    type1: steps(twin.legacy.expectations, program),
    iommufd: steps(twin.compat.expectations, programOn('compat', program)),
    looks,
    devices,
    says: [
      ...wrapped(`${description.title}.`, ''),
      '',
      ...wrapped(`${found.request}, ${found.what}, in Linux ${release}.`, ''),
      ...sideSays('type1', found.legacyRule, found.facet.legacy),
      ...sideSays('iommufd', found.compatRule, found.facet.compat),
      '',
      ...exitLines,
      ...wrapped(found.ground.needs ?? '', ''),
      ...usageLines(devices, setting.platform),
    ],
  });
  return { text, devices: devices.map(({ name }) => name), mapsRegisters: usesDevice(program) };
};
