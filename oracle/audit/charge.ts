// SPDX-License-Identifier: MIT
// What an operation charges on each side, as /proc/PID/status shows it.

import { PROCESS } from '../../model/programs/run.ts';
import { accountOf } from '../../spec/state/memory.ts';
import type { World } from '../../spec/state/world.ts';
import type { DifferenceKind } from './answer-difference.ts';

/** The changes of the two counts, in pages. */
export type Charged = { readonly locked: number; readonly pinned: number };

const charged = (before: World, after: World): Charged => {
  const [was, is] = [accountOf(before.memory, PROCESS), accountOf(after.memory, PROCESS)];
  return { locked: is.locked - was.locked, pinned: is.pinned - was.pinned };
};

const signed = (pages: number): string => `${pages > 0 ? '+' : ''}${pages}`;

const text = ({ locked, pinned }: Charged): string =>
  `VmLck ${signed(locked)}, VmPin ${signed(pinned)} pages`;

export function* chargeDifferences(
  before: { readonly legacy: World; readonly compat: World },
  legacy: World,
  compat: World,
): Generator<DifferenceKind> {
  yield* chargedDifferences(charged(before.legacy, legacy), charged(before.compat, compat));
}

const amounts = (one: Charged, other: Charged): string => {
  if (other.locked + other.pinned === 0) return 'by type1 alone';
  return one.locked + one.pinned === 0 ? 'by iommufd alone' : 'other numbers';
};

/** A different number of pages and a different account are two kinds; only the first is yielded if both differ. */
export function* chargedDifferences(one: Charged, other: Charged): Generator<DifferenceKind> {
  const words = { legacy: text(one), compat: text(other) };
  if (one.locked + one.pinned !== other.locked + other.pinned) {
    yield { what: `how many pages are charged: ${amounts(one, other)}`, ...words };
  } else if (one.locked !== other.locked) {
    yield { what: 'which account is charged', ...words };
  }
}
