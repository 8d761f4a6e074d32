// Whether no program is shorter than the one that is known to show a defect: every program with fewer calls is run on the
// emulator with the defect, over the calls of the known program and those of the alphabets that are about the same.

import { ACCESS } from '../../oracle/explore/alphabets/access.ts';
import { COMPAT } from '../../oracle/explore/alphabets/compat.ts';
import { LIFECYCLE } from '../../oracle/explore/alphabets/lifecycle.ts';
import { NATIVE } from '../../oracle/explore/alphabets/native.ts';
import { NOIOMMU } from '../../oracle/explore/alphabets/noiommu.ts';
import { RESERVED } from '../../oracle/explore/alphabets/reserved.ts';
import { TYPE1 } from '../../oracle/explore/alphabets/type1.ts';
import type { Alphabet, Letter } from '../../oracle/explore/letters.ts';
import { distinctLetters, lettersOfProgram } from '../../oracle/explore/letters-of-program.ts';
import {
  type ShortestViolation,
  shortestViolation,
} from '../../oracle/explore/shortest-violation.ts';
import type { ShownFault } from './shown-defect.ts';

/** Programs that are run, at most: with one for each state, and with none left out. */
export type Bounds = { readonly byState: number; readonly every: number };

export type Minimum = {
  readonly shown: ShownFault;
  readonly alphabets: readonly Alphabet[];
  readonly letters: readonly Letter[];
  /** No program was left out, whatever state it leads to. */
  readonly every: boolean;
  readonly found: ShortestViolation;
};

const usesContainer = ({ program }: ShownFault): boolean =>
  program.some((operation) => operation.op === 'open' && operation.path === '/dev/vfio/vfio');

/** Of a platform all alphabets that have to do with what the program is about. */
const alphabetsFor = (shown: ShownFault): readonly Alphabet[] => {
  const { name } = shown.setting.platform;
  if (usesContainer(shown)) return [TYPE1];
  if (name === 'vtd') return [LIFECYCLE];
  return name === 'mock' ? [COMPAT, NATIVE, ACCESS, RESERVED] : [COMPAT, NOIOMMU];
};

const lettersWith = (
  { setting, program }: ShownFault,
  alphabets: readonly Alphabet[],
): readonly Letter[] =>
  distinctLetters([
    ...lettersOfProgram(setting, program),
    ...alphabets.flatMap(({ letters }) => letters),
  ]);

/** The one that adds least to the calls of the program: it has most of them. */
const nearestOf = (shown: ShownFault, alphabets: readonly Alphabet[]): Alphabet =>
  alphabets.reduce((best, each) => {
    const added = (alphabet: Alphabet): number =>
      lettersWith(shown, [alphabet]).length - alphabet.letters.length;
    return added(each) < added(best) ? each : best;
  });

/**
 * Looks at the programs of one call less than the known one has: at every one of them, or where those are too many at one
 * for each state, or where those are, at those of one alphabet.
 */
export const minimumOf = (shown: ShownFault, { byState, every }: Bounds): Minimum => {
  const { fault, setting, program } = shown;
  const all = alphabetsFor(shown);
  const nearest = [nearestOf(shown, all)];
  const tries = [
    { alphabets: all, every: true, programs: every },
    { alphabets: all, every: false, programs: byState },
    ...(all.length === 1 ? [] : [{ alphabets: nearest, every: false, programs: byState }]),
  ];
  let minimum: Minimum | undefined;
  for (const { alphabets, every: isEvery, programs } of tries) {
    const letters = lettersWith(shown, alphabets);
    const question = { setting, letters, fault, calls: program.length - 1, programs };
    const found = shortestViolation({ ...question, every: isEvery });
    minimum = { shown, alphabets, letters, every: isEvery, found };
    if (found.kind !== 'too many') break;
  }
  return minimum as Minimum;
};
