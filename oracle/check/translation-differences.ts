// SPDX-License-Identifier: MIT
// Compares a domain's translations with the expected ones. The machine and the specification name pages of
// memory differently, so the comparison also pairs the names.

import type { Translation } from '../../model/machine/machine.ts';
import type { TranslatedSpan } from '../../spec/hardware/translate.ts';

/** Pairs of page names, the specification's and the machine's; one to one. */
export class Pairing {
  readonly #byPage = new Map<string, number>();
  readonly #byFrame = new Map<number, string>();

  /** Whether the two may name the same page; if so, pairs them. */
  matches(page: string, frame: number): boolean {
    const known = this.#byPage.get(page);
    const name = this.#byFrame.get(frame);
    if (known === undefined && name === undefined) {
      this.#byPage.set(page, frame);
      this.#byFrame.set(frame, page);
      return true;
    }
    return known === frame && name === page;
  }

  /** The specification's name of the machine's page; undefined if not paired yet. */
  pageOf(frame: number): string | undefined {
    return this.#byFrame.get(frame);
  }
}

export const pageName = (backing: number, page: number): string => `${backing}:${page}`;

const hex = (value: bigint): string => `0x${value.toString(16)}`;

const describe = (t: {
  readonly iova: bigint;
  readonly length: number;
  readonly readable: boolean;
  readonly writable: boolean;
}): string =>
  `${hex(t.iova)} to ${hex(t.iova + BigInt(t.length) - 1n)}, ` +
  `${t.readable ? 'r' : '-'}${t.writable ? 'w' : '-'}`;

/** If two spans have the same description, their targets differ. */
const described = (
  span: TranslatedSpan,
  other: Translation,
  pairing: Pairing,
): { readonly expected: string; readonly observed: string } => {
  const expected = `translates ${describe(span)}`;
  const observed = `translates ${describe(other)}`;
  if (expected !== observed) return { expected, observed };
  const name = pageName(span.backing, span.page);
  const page = pairing.pageOf(other.frame);
  const its = page === undefined ? 'another page' : `page ${page}`;
  return {
    expected: `${expected}, to byte ${span.offset} of page ${name}`,
    observed: `${observed}, to byte ${other.offset} of ${its}`,
  };
};

const sameSpan = (a: TranslatedSpan, b: Translation, pairing: Pairing): boolean =>
  a.iova === b.iova &&
  a.length === b.length &&
  a.offset === b.offset &&
  a.readable === b.readable &&
  a.writable === b.writable &&
  pairing.matches(pageName(a.backing, a.page), b.frame);

const continues = (a: TranslatedSpan, b: TranslatedSpan): boolean =>
  a.iova + BigInt(a.length) === b.iova &&
  a.backing === b.backing &&
  a.page === b.page &&
  a.offset + a.length === b.offset &&
  a.readable === b.readable &&
  a.writable === b.writable;

/** Spans as the machine reports them: those that continue each other within a page are one. */
function* merged(spans: Iterable<TranslatedSpan>): Generator<TranslatedSpan> {
  let pending: TranslatedSpan | undefined;
  for (const span of spans) {
    if (pending !== undefined && continues(pending, span)) {
      pending = { ...pending, length: pending.length + span.length };
      continue;
    }
    if (pending !== undefined) yield pending;
    pending = span;
  }
  if (pending !== undefined) yield pending;
}

/** The first place where two translations differ. */
export type Differing = {
  readonly expected: string;
  readonly observed: string;
  /** In bytes. */
  readonly iova: bigint;
};

/** The difference between observed and expected translations; undefined if there is none. */
export const differing = (
  expected: Iterable<TranslatedSpan>,
  observed: readonly Translation[],
  pairing: Pairing,
): Differing | undefined => {
  let index = 0;
  for (const span of merged(expected)) {
    const other = observed[index];
    if (other === undefined || !sameSpan(span, other, pairing)) {
      const iova = other !== undefined && other.iova < span.iova ? other.iova : span.iova;
      return {
        ...(other === undefined
          ? { expected: `translates ${describe(span)}`, observed: 'nothing there' }
          : described(span, other, pairing)),
        iova,
      };
    }
    index += 1;
  }
  const extra = observed[index];
  return extra === undefined
    ? undefined
    : {
        expected: 'nothing there',
        observed: `translates ${describe(extra)}`,
        iova: extra.iova,
      };
};
