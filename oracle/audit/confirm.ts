// Runs what the search found on a kernel, on both sides, and looks whether the two answers differ there in the same way.

import type { Operation, Program } from '../../model/programs/program.ts';
import type { Step } from '../../model/programs/run.ts';
import type { KernelRun, KernelRunner } from '../check/kernel-campaign.ts';
import { type Charged, chargedFacets } from './charge.ts';
import { type Answered, type Facet, facetsOf } from './facets.ts';
import type { Located } from './run-audit.ts';
import { programOn } from './side.ts';

export type Confirmation =
  | { readonly kind: 'confirmed' }
  /** It cannot be seen in replies alone. */
  | { readonly kind: 'not-visible' }
  /** The kernel answered otherwise; in words. */
  | { readonly kind: 'refuted'; readonly seen: string };

const answered = ({ observation }: Step): Answered => ({
  result: observation.errno === 0 ? observation.result : -observation.errno,
  after: observation.memory,
});

const facetText = ({ what, legacy, compat }: Facet): string => `${what}: ${legacy}, ${compat}`;

/** What devices reach shows in no reply. */
const isVisible = ({ what }: Located): boolean => !/devices reach/.test(what);

const looksAtCharges = (when: string): readonly Operation[] => [
  { op: 'status', label: `VmLck ${when}`, field: 'VmLck' },
  { op: 'status', label: `VmPin ${when}`, field: 'VmPin' },
];
const LOOKS = 2;

/** The program with what is charged looked at before its last operation and behind it. */
const withLooks = (program: Program): Program => [
  ...program.slice(0, -1),
  ...looksAtCharges('before'),
  ...program.slice(-1),
  ...looksAtCharges('after'),
];

const chargedIn = (steps: readonly Step[]): Charged => {
  const told = (fromEnd: number): number => steps.at(-fromEnd)?.observation.result ?? 0;
  return { locked: told(2) - told(5), pinned: told(1) - told(4) };
};

const compare = (found: Located, legacy: KernelRun, compat: KernelRun): Confirmation => {
  const broken = [legacy, compat].find(
    ({ steps }) => steps.length < found.program.length + 2 * LOOKS,
  );
  if (broken !== undefined) {
    return { kind: 'refuted', seen: broken.refused ?? broken.died ?? 'it ended early' };
  }
  const operation = found.program.at(-1);
  const [one, other] = [legacy.steps.at(-1 - LOOKS), compat.steps.at(-1 - LOOKS)];
  if (operation === undefined || one === undefined || other === undefined) {
    return { kind: 'refuted', seen: 'no program' };
  }
  const facets = [
    ...facetsOf(operation, answered(one), answered(other)),
    ...chargedFacets(chargedIn(legacy.steps), chargedIn(compat.steps)),
  ];
  const same = facets.some((facet) => facetText(facet) === facetText(found.facet));
  if (same) return { kind: 'confirmed' };
  const seen = facets.map(facetText).join('; ');
  return { kind: 'refuted', seen: seen === '' ? 'both sides answer alike' : seen };
};

/** In the order of what was found. */
export const confirmOn = async (
  subject: KernelRunner,
  all: readonly Located[],
): Promise<readonly Confirmation[]> => {
  const ran = await subject.run(
    all.flatMap(({ program }) => [
      withLooks(programOn('legacy', program)),
      withLooks(programOn('compat', program)),
    ]),
  );
  return all.map((found, index) => {
    const [legacy, compat] = [ran[2 * index], ran[2 * index + 1]];
    if (legacy === undefined || compat === undefined) {
      return { kind: 'refuted', seen: 'the kernel gave no answer' };
    }
    return isVisible(found) ? compare(found, legacy, compat) : { kind: 'not-visible' };
  });
};
