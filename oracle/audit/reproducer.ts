// SPDX-License-Identifier: MIT
// The C file of a row: one program on both sides, for readers without this project.

import { isDeepStrictEqual } from 'node:util';
import { ARENA_BASE } from '../../model/programs/arena.ts';
import { type Expectation, startOfProgram } from '../../model/programs/builder.ts';
import type { Operation, Program } from '../../model/programs/program.ts';
import type { Platform, PlatformDevice } from '../../spec/terms/platform.ts';
import type { Rule } from '../../spec/terms/rule.ts';
import type { AuditedRelease } from '../emit/audited-releases.ts';
import { usesDevice } from '../emit/c-program.ts';
import { c, cHex } from '../emit/c-text.ts';
import { type Answered, isGroupOf, type NamedDevice, twoSidedProgram } from '../emit/two-sides.ts';
import { wrapped } from '../text/lines.ts';
import { listed } from '../text/quantities.ts';
import type { TracedStep } from '../trace/step-json.ts';
import { withProbes } from './confirm.ts';
import { type Located, settingOn } from './located.ts';
import { startOfPair } from './pair.ts';
import { probesOf, type ShownProbe } from './probes.ts';
import type { RowProgram, ShownIn } from './row-program.ts';
import { FILLED, type Transfer, transferFor, WRITTEN } from './transfer.ts';

const stepOf = ({ call, result, after }: Expectation): TracedStep => ({
  call,
  observation:
    result < 0
      ? { result: -1, errno: -result, memory: after }
      : { result, errno: 0, memory: after },
});

const transferProbe = ({ program, reaches }: Transfer): ShownProbe => {
  const write = program.at(-1);
  const offset = write?.op === 'dma' ? (write.look ?? 0n) : 0n;
  const left = BigInt(`0x${FILLED.toString(16).repeat(WRITTEN)}`);
  return {
    text: 'the memory: the device writes zeros',
    read: () => c`*(__u64 *)(ARENA + ${cHex(offset)})`,
    type1: reaches.legacy ? 0n : left,
    iommufd: reaches.compat ? 0n : left,
  };
};

const isCharge = ({ what }: Located): boolean => /charged/.test(what);

/** The program that shows the cause, and the transfer that ends it, if any. */
const shownBy = (
  release: AuditedRelease,
  found: Located,
): { readonly program: Program; readonly transfer: Transfer | undefined } => {
  const transfer = /devices reach/.test(found.what) ? transferFor(release, found) : undefined;
  if (transfer !== undefined) return { program: transfer.program, transfer };
  return { program: isCharge(found) ? withProbes(found.program) : found.program, transfer };
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

/** The devices that the program names, or whose groups it opens. */
const devicesIn = ({ scenario }: Located, program: Program): readonly NamedDevice[] =>
  scenario.platform.devices.filter((device) =>
    program.some((operation) => isUsedBy(device, operation)),
  );

const sideSays = (name: string, rule: Rule, answers: string): readonly string[] =>
  wrapped(`${name}: ${answers}. ${rule.says} (${rule.source})`, '', '  ');

const causeSays = ({ cause }: ShownIn): readonly string[] => [
  ...sideSays('type1', cause.legacyRule, cause.kind.legacy),
  ...sideSays('iommufd', cause.compatRule, cause.kind.compat),
];

/** What each side answers; once for all releases with the same text. */
const answersSay = ({ shown }: RowProgram): readonly string[] => {
  const groups = new Map<string, ShownIn[]>();
  for (const one of shown) {
    const text = causeSays(one).join('\n');
    groups.set(text, [...(groups.get(text) ?? []), one]);
  }
  return [...groups].flatMap(([text, all], index) => {
    const [{ cause }] = all as [ShownIn];
    const releases = listed(all.map(({ release }) => release));
    return [
      ...(index === 0 ? [] : ['']),
      ...wrapped(`${cause.request}, ${cause.what}, in Linux ${releases}:`, ''),
      ...text.split('\n'),
    ];
  });
};

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

/** A row's C file, and its arguments. */
export type Reproducer = {
  readonly text: string;
  /** The devices that it takes, in order. */
  readonly devices: readonly string[];
  /** Whether the argument after the devices is a file whose BAR the program maps. */
  readonly mapsBar: boolean;
};

type ReproducerRun = Answered & { readonly shownProbes: readonly ShownProbe[] };

const answeredIn = (
  release: AuditedRelease,
  found: Located,
  program: Program,
  transfer: Transfer | undefined,
): ReproducerRun => {
  const pair = startOfPair(startOfProgram(settingOn(release, found.scenario)));
  for (const operation of program) pair.add(operation);
  const { legacy, compat } = pair;
  const shownProbes =
    transfer === undefined
      ? probesOf(
          found.what,
          layoutOf(program.at(-1)),
          bytesOf(legacy.expectations.at(-1)),
          bytesOf(compat.expectations.at(-1)),
        )
      : [transferProbe(transfer)];
  return {
    release,
    type1: legacy.expectations.map(stepOf),
    iommufd: compat.expectations.map(stepOf),
    probes: shownProbes,
    shownProbes,
  };
};

/** Throws if the row needs different programs in its releases. */
const requireSameProgram = ({ description, found, shown }: RowProgram, program: Program): void => {
  for (const { release } of shown) {
    if (!isDeepStrictEqual(shownBy(release, found).program, program)) {
      throw new Error(`${description.id} needs another program in ${release}.`);
    }
  }
};

/** The file includes the header that twoSidesHeader makes. */
export const reproducerOf = (row: RowProgram): Reproducer => {
  const { description, found, shown } = row;
  const [{ release: first }, ...others] = shown;
  const { program, transfer } = shownBy(first, found);
  requireSameProgram(row, program);
  const setting = settingOn(first, found.scenario);
  const ran = answeredIn(first, found, program, transfer);
  const devices = devicesIn(found, program);
  const needs = [
    ...(found.scenario.needs === undefined ? [] : wrapped(found.scenario.needs, '')),
    ...usageLines(devices, setting.platform),
  ];
  const text = twoSidedProgram({
    setting,
    base: ARENA_BASE,
    program,
    answered: [
      ran,
      ...others.map(({ release }) =>
        answeredIn(release, found, program, shownBy(release, found).transfer),
      ),
    ],
    probes: ran.shownProbes,
    devices,
    says: [
      ...wrapped(`${description.title}.`, ''),
      '',
      ...answersSay(row),
      ...(needs.length === 0 ? [] : ['', ...needs]),
    ],
  });
  return { text, devices: devices.map(({ name }) => name), mapsBar: usesDevice(program) };
};
