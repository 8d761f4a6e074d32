// SPDX-License-Identifier: MIT
// Runs what the search found on a kernel, on both sides, and checks whether the two answers differ there in the same way.

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
  /** Neither a reply shows it, nor what a device writes. */
  | { readonly kind: 'not-visible' }
  /** The kernel answered otherwise; in words. */
  | { readonly kind: 'refuted'; readonly seen: string };

const answered = ({ observation }: Step): Answered => ({
  result: observation.errno === 0 ? observation.result : -observation.errno,
  after: observation.memory,
});

const differenceKindText = ({ what, legacy, compat }: DifferenceKind): string =>
  `${what}: ${legacy}, ${compat}`;

/** What devices reach shows in no reply. */
const isVisible = ({ what }: Located): boolean => !/devices reach/.test(what);

const probesCharges = (when: string): readonly Operation[] => [
  { op: 'status', label: `VmLck ${when}`, field: 'VmLck' },
  { op: 'status', label: `VmPin ${when}`, field: 'VmPin' },
];
const PROBES = 2;

/** The program with what is charged checked before its last operation and behind it. */
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
    return { kind: 'refuted', seen: broken.refused ?? broken.died ?? 'it ended early' };
  }
  const operation = found.program.at(-1);
  const [one, other] = [legacy.steps.at(-1 - PROBES), compat.steps.at(-1 - PROBES)];
  if (operation === undefined || one === undefined || other === undefined) {
    return { kind: 'refuted', seen: 'no program' };
  }
  const kinds = [
    ...differenceKindsOf(operation, answered(one), answered(other)),
    ...chargedDifferences(chargedIn(legacy.steps), chargedIn(compat.steps)),
  ];
  const same = kinds.some((kind) => differenceKindText(kind) === differenceKindText(found.kind));
  if (same) return { kind: 'confirmed' };
  const seen = kinds.map(differenceKindText).join('; ');
  return { kind: 'refuted', seen: seen === '' ? 'both sides answer alike' : seen };
};

const changed = ({ steps }: KernelRun): boolean =>
  steps.at(-1)?.observation.memory[0]?.bytes.some((byte) => byte !== FILLED) === true;

/** Whether the device wrote into memory on the sides on which it must reach it, and on no other. */
const compareTransfers = (
  { program, reaches }: Transfer,
  legacy: KernelRun,
  compat: KernelRun,
): Confirmation => {
  const broken = [legacy, compat].find(
    ({ steps }) => steps.length < program.length || steps.at(-1)?.observation.errno !== 0,
  );
  if (broken !== undefined) {
    return { kind: 'refuted', seen: broken.refused ?? broken.died ?? 'no transfer was made' };
  }
  const [one, other] = [changed(legacy), changed(compat)];
  if (one === reaches.legacy && other === reaches.compat) return { kind: 'confirmed' };
  const words = (reached: boolean): string => (reached ? 'reached' : 'not reached');
  return { kind: 'refuted', seen: `memory is ${words(one)}, ${words(other)}` };
};

type Trial = {
  readonly program: Program;
  readonly compare: (legacy: KernelRun, compat: KernelRun) => Confirmation;
};

/** How a cause is tried; undefined where nothing that a program can do shows it. */
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

/** In the order of what was found, which the release's specification has. */
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
    // What is where structs are is checked, too.
    true,
  );
  let next = 0;
  return trials.map((trial) => {
    if (trial === undefined) return { kind: 'not-visible' };
    const [legacy, compat] = [ran[next], ran[next + 1]];
    next += 2;
    if (legacy === undefined || compat === undefined) {
      return { kind: 'refuted', seen: 'the kernel gave no answer' };
    }
    return trial.compare(legacy, compat);
  });
};
