// Compares what no reply shows: what each domain translates, what is pinned, what is charged. Pages of memory have
// other names in the machine than in the specification, so that a pairing of names is sought on the way.

import type { DomainState, HiddenState, Translation } from '../../model/machine.ts';
import { nodesOf, valuesOf } from '../../spec/collections/ordered-map.ts';
import { type TranslatedStretch, translations } from '../../spec/hardware/translate.ts';
import type { Context } from '../../spec/iommufd/context.ts';
import { accountOf } from '../../spec/memory/memory.ts';
import type { World } from '../../spec/world.ts';

export type HiddenDifference = {
  /** "domain 4 of descriptor 3", "pins", "locked memory". */
  readonly where: string;
  readonly expected: string;
  readonly observed: string;
  /** For a domain: the first IOVA, in bytes, at which it differs. */
  readonly at?: { readonly fd: number; readonly hwpt: number; readonly iova: bigint };
};

const PROCESS = 1;

/** Names of pages: the specification's and the machine's, each for exactly one of the other. */
class Pairing {
  readonly #byPage = new Map<string, number>();
  readonly #byFrame = new Map<number, string>();

  /** Whether the two may name the same page; from then on they do. */
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

  /** The specification's name of the machine's page; undefined where it has none yet. */
  pageOf(frame: number): string | undefined {
    return this.#byFrame.get(frame);
  }
}

const pageName = (backing: number, page: number): string => `${backing}:${page}`;

const hex = (value: bigint): string => `0x${value.toString(16)}`;

const describe = (t: {
  readonly iova: bigint;
  readonly length: number;
  readonly readable: boolean;
  readonly writable: boolean;
}): string =>
  `${hex(t.iova)} to ${hex(t.iova + BigInt(t.length) - 1n)}, ` +
  `${t.readable ? 'r' : '-'}${t.writable ? 'w' : '-'}`;

/** Where two stretches agree in all that `describe` tells, what they translate to differs. */
const described = (
  stretch: TranslatedStretch,
  other: Translation,
  pairing: Pairing,
): Pick<HiddenDifference, 'expected' | 'observed'> => {
  const expected = `translates ${describe(stretch)}`;
  const observed = `translates ${describe(other)}`;
  if (expected !== observed) return { expected, observed };
  const name = pageName(stretch.backing, stretch.page);
  const page = pairing.pageOf(other.frame);
  const its = page === undefined ? 'another page' : `page ${page}`;
  return {
    expected: `${expected}, to byte ${stretch.offset} of page ${name}`,
    observed: `${observed}, to byte ${other.offset} of ${its}`,
  };
};

const sameStretch = (a: TranslatedStretch, b: Translation, pairing: Pairing): boolean =>
  a.iova === b.iova &&
  a.length === b.length &&
  a.offset === b.offset &&
  a.readable === b.readable &&
  a.writable === b.writable &&
  pairing.matches(pageName(a.backing, a.page), b.frame);

const continues = (a: TranslatedStretch, b: TranslatedStretch): boolean =>
  a.iova + BigInt(a.length) === b.iova &&
  a.backing === b.backing &&
  a.page === b.page &&
  a.offset + a.length === b.offset &&
  a.readable === b.readable &&
  a.writable === b.writable;

/** Stretches as the machine tells them: those that continue each other within a page are one. */
function* merged(stretches: Iterable<TranslatedStretch>): Generator<TranslatedStretch> {
  let pending: TranslatedStretch | undefined;
  for (const stretch of stretches) {
    if (pending !== undefined && continues(pending, stretch)) {
      pending = { ...pending, length: pending.length + stretch.length };
      continue;
    }
    if (pending !== undefined) yield pending;
    pending = stretch;
  }
  if (pending !== undefined) yield pending;
}

const compareDomain = (
  fd: number,
  context: Context,
  hwpt: number,
  observed: DomainState | undefined,
  pairing: Pairing,
): HiddenDifference | undefined => {
  const where = `the domain of hwpt ${hwpt} of descriptor ${fd}`;
  const stretches = merged(translations(context, hwpt as Parameters<typeof translations>[1]));
  let index = 0;
  for (const stretch of stretches) {
    const other = observed?.translations[index];
    if (other === undefined || !sameStretch(stretch, other, pairing)) {
      const iova = other !== undefined && other.iova < stretch.iova ? other.iova : stretch.iova;
      return {
        where,
        ...(other === undefined
          ? { expected: `translates ${describe(stretch)}`, observed: 'nothing there' }
          : described(stretch, other, pairing)),
        at: { fd, hwpt, iova },
      };
    }
    index += 1;
  }
  const extra = observed?.translations[index];
  return extra === undefined
    ? undefined
    : {
        where,
        expected: 'nothing there',
        observed: `translates ${describe(extra)}`,
        at: { fd, hwpt, iova: extra.iova },
      };
};

const lowestDescriptor = (world: World, file: number): number => {
  for (const { descriptors } of valuesOf(world.processes)) {
    for (const { key, value } of nodesOf(descriptors)) if (value === file) return key;
  }
  return -1;
};

const compareDomains = (
  world: World,
  observed: HiddenState,
  pairing: Pairing,
): readonly HiddenDifference[] => {
  const differences: HiddenDifference[] = [];
  const seen = new Map(observed.domains.map((domain) => [`${domain.fd}:${domain.hwpt}`, domain]));
  for (const { key, value } of nodesOf(world.files)) {
    if (value.kind !== 'iommufd') continue;
    const fd = lowestDescriptor(world, key);
    if (fd < 0) continue;
    for (const { key: id, value: object } of nodesOf(value.context.objects)) {
      if (object.kind !== 'hwpt') continue;
      const name = `${fd}:${id}`;
      const difference = compareDomain(fd, value.context, id, seen.get(name), pairing);
      if (difference !== undefined) differences.push(difference);
      seen.delete(name);
    }
  }
  for (const { fd, hwpt } of seen.values()) {
    if (fd < 0) continue;
    differences.push({
      where: `the domain of hwpt ${hwpt} of descriptor ${fd}`,
      expected: 'no such domain',
      observed: 'it exists',
    });
  }
  return differences;
};

/** How often each page is pinned, as the specification has it. */
const expectedPins = (world: World): ReadonlyMap<string, number> => {
  const pins = new Map<string, number>();
  for (const file of valuesOf(world.files)) {
    if (file.kind !== 'iommufd') continue;
    for (const pages of valuesOf(file.context.pages)) {
      for (const { key, value } of nodesOf(pages.pinned)) {
        for (let index = 0; index <= value.last - key; index += 1) {
          const name = pageName(value.backing, value.page + index);
          pins.set(name, (pins.get(name) ?? 0) + 1);
        }
      }
    }
  }
  return pins;
};

const comparePins = (world: World, observed: HiddenState): readonly HiddenDifference[] => {
  const byCount = (counts: Iterable<number>): string => {
    const tally = new Map<number, number>();
    for (const count of counts) tally.set(count, (tally.get(count) ?? 0) + 1);
    return [...tally]
      .sort(([a], [b]) => a - b)
      .map(([count, pages]) => `${pages} pages ${count} times`)
      .join(', ');
  };
  const expected = byCount(expectedPins(world).values());
  const seen = byCount(observed.pins.map(({ count }) => count));
  return expected === seen
    ? []
    : [{ where: 'pins', expected: expected || 'none', observed: seen || 'none' }];
};

const compareLocked = (world: World, { locked }: HiddenState): readonly HiddenDifference[] => {
  const account = accountOf(world.memory, PROCESS);
  const words = (process: number, pinned: number, user: number): string =>
    `VmLck ${process}, VmPin ${pinned}, user ${user} pages`;
  const expected = words(account.locked, account.pinned, world.memory.userLocked);
  const observed = words(locked.process, locked.pinned, locked.user);
  return expected === observed ? [] : [{ where: 'locked memory', expected, observed }];
};

/** Every way in which a machine's hidden state differs from what the world says it is. */
export const hiddenDifferences = (
  world: World,
  observed: HiddenState,
): readonly HiddenDifference[] => [
  ...compareDomains(world, observed, new Pairing()),
  ...comparePins(world, observed),
  ...compareLocked(world, observed),
];
