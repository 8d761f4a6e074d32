// SPDX-License-Identifier: MIT
// Runs the programs that the search found on a kernel, on both sides, and checks whether the answers differ as specified.

import type { Operation, Program } from '../../model/programs/program.ts';
import type { Step } from '../../model/programs/run.ts';
import type { KernelRun, KernelRunner } from '../check/kernel-campaign.ts';
import type { AuditedRelease } from '../emit/audited-releases.ts';
import type { Answered, DifferenceKind } from './answer-difference.ts';
import { type Charged, chargedDifferences } from './charge.ts';
import { differenceKindsOf } from './difference-kinds.ts';
import type { Located } from './located.ts';
import { programOn } from './side.ts';
import { FILLED, type Transfer, transferFor } from './transfer.ts';

export type Confirmation =
  | { readonly kind: 'confirmed' }
  /** No reply shows it, and no write of a device. */
  | { readonly kind: 'not-visible' }
  /** What the kernel showed instead, in words. */
  | { readonly kind: 'refuted'; readonly shown: string };

const answered = ({ observation }: Step): Answered => ({
  result: observation.errno === 0 ? observation.result : -observation.errno,
  after: observation.memory,
});

const differenceKindText = ({ what, legacy, compat }: DifferenceKind): string =>
  `${what}: ${legacy}, ${compat}`;

/** No reply shows what devices reach. */
const isVisible = ({ what }: Located): boolean => !/devices reach/.test(what);

const probesCharges = (when: string): readonly Operation[] => [
  { op: 'status', label: `VmLck ${when}`, field: 'VmLck' },
  { op: 'status', label: `VmPin ${when}`, field: 'VmPin' },
];
const PROBES = 2;

/** The program with probes of the charges before and after its last operation. */
export const withProbes = (program: Program): Program => [
  ...program.slice(0, -1),
  ...probesCharges('before'),
  ...program.slice(-1),
  ...probesCharges('after'),
];

const chargedIn = (steps: readonly Step[]): Charged => {
  const reported = (fromEnd: number): number => steps.at(-fromEnd)?.observation.result ?? 0;
  return { locked: reported(2) - reported(5), pinned: reported(1) - reported(4) };
};

const compare = (found: Located, legacy: KernelRun, compat: KernelRun): Confirmation => {
  const broken = [legacy, compat].find(
    ({ steps }) => steps.length < found.program.length + 2 * PROBES,
  );
  if (broken !== undefined) {
    return { kind: 'refuted', shown: broken.refused ?? broken.died ?? 'that it ended early' };
  }
  const operation = found.program.at(-1);
  const [one, other] = [legacy.steps.at(-1 - PROBES), compat.steps.at(-1 - PROBES)];
  if (operation === undefined || one === undefined || other === undefined) {
    return { kind: 'refuted', shown: 'no program' };
  }
  const kinds = [
    ...differenceKindsOf(operation, answered(one), answered(other)),
    ...chargedDifferences(chargedIn(legacy.steps), chargedIn(compat.steps)),
  ];
  const same = kinds.some((kind) => differenceKindText(kind) === differenceKindText(found.kind));
  if (same) return { kind: 'confirmed' };
  const shown = kinds.map(differenceKindText).join('; ');
  return { kind: 'refuted', shown: shown === '' ? 'the same answer on both sides' : shown };
};

const changed = ({ steps }: KernelRun): boolean =>
  steps.at(-1)?.observation.memory[0]?.bytes.some((byte) => byte !== FILLED) === true;

/** Whether the device wrote to the memory on exactly the sides on which it must reach it. */
const compareTransfers = (
  { program, reaches }: Transfer,
  legacy: KernelRun,
  compat: KernelRun,
): Confirmation => {
  const broken = [legacy, compat].find(
    ({ steps }) => steps.length < program.length || steps.at(-1)?.observation.errno !== 0,
  );
  if (broken !== undefined) {
    return { kind: 'refuted', shown: broken.refused ?? broken.died ?? 'no transfer' };
  }
  const [one, other] = [changed(legacy), changed(compat)];
  if (one === reaches.legacy && other === reaches.compat) return { kind: 'confirmed' };
  const words = (reached: boolean): string => (reached ? 'reached' : 'not reached');
  return { kind: 'refuted', shown: `memory ${words(one)}, ${words(other)}` };
};

type Trial = {
  readonly program: Program;
  readonly compare: (legacy: KernelRun, compat: KernelRun) => Confirmation;
};

/** The programs that show a cause; undefined if no program can. */
const trialOf = (release: AuditedRelease, found: Located): Trial | undefined => {
  if (isVisible(found)) {
    return {
      program: withProbes(found.program),
      compare: (legacy, compat) => compare(found, legacy, compat),
    };
  }
  const transfer = transferFor(release, found);
  return transfer === undefined
    ? undefined
    : {
        program: transfer.program,
        compare: (legacy, compat) => compareTransfers(transfer, legacy, compat),
      };
};

/** One confirmation for each of `all`, in the same order. */
export const confirmOn = async (
  subject: KernelRunner,
  release: AuditedRelease,
  all: readonly Located[],
): Promise<readonly Confirmation[]> => {
  const trials = all.map((found) => trialOf(release, found));
  const ran = await subject.run(
    trials.flatMap((trial) =>
      trial === undefined
        ? []
        : [programOn('legacy', trial.program), programOn('compat', trial.program)],
    ),
    // The memory of structs is compared, too.
    true,
  );
  let next = 0;
  return trials.map((trial) => {
    if (trial === undefined) return { kind: 'not-visible' };
    const [legacy, compat] = [ran[next], ran[next + 1]];
    next += 2;
    if (legacy === undefined || compat === undefined) {
      return { kind: 'refuted', shown: 'no answer' };
    }
    return trial.compare(legacy, compat);
  });
};
