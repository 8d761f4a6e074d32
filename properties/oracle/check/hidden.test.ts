// SPDX-License-Identifier: MIT
// Hidden state is compared: each kind of difference that is injected into a machine's hidden state
// is reported with its position, and the frame numbers of a machine do not matter.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EmulatedMachine } from '../../../model/emulator/machine.ts';
import type { DomainState, HiddenState, Translation } from '../../../model/machine/machine.ts';
import { DATA_OFFSET } from '../../../model/programs/arena.ts';
import { runProgram } from '../../../model/programs/run.ts';
import { hiddenDifferences } from '../../../oracle/check/hidden.ts';
import { judgeProgram } from '../../../oracle/check/judge-program.ts';
import { ATTACHED, IOAS, IOVA, ioasId, PAGE } from '../../corpus/example.ts';
import { arena, native } from '../../helpers/operations.ts';
import { LIMITED, settingOf } from '../../helpers/settings.ts';

const SETTING = settingOf('mock', LIMITED);

const map = (label: string, iova: bigint, offset: bigint, length: bigint, flags: bigint) =>
  native(label, 'iommufd', 'IOMMU_IOAS_MAP', {
    flags,
    ioas_id: ioasId,
    user_va: arena(DATA_OFFSET + offset),
    length,
    iova,
  });

// Two pages for reading and writing, and after a gap half of a third page for reading.
const PROGRAM = [
  ...[...IOAS, ATTACHED].map(([operation]) => operation),
  map('two', IOVA, 0n, 2n * PAGE, 7n),
  map('half', IOVA + 4n * PAGE, 2n * PAGE, 2048n, 5n),
];

const machine = new EmulatedMachine(SETTING);
runProgram(PROGRAM, machine);
const STATE = machine.hiddenState();
const { world } = judgeProgram(SETTING, PROGRAM);
const [DOMAIN] = STATE.domains as readonly [DomainState];

const withDomain = (domain: Partial<DomainState>): HiddenState => ({
  ...STATE,
  domains: [{ ...DOMAIN, ...domain }],
});

const withTranslation = (index: number, change: Partial<Translation>): HiddenState =>
  withDomain({
    translations: DOMAIN.translations.map((translation, position) =>
      position === index ? { ...translation, ...change } : translation,
    ),
  });

const FIRST = DOMAIN.translations[0] as Translation;
const SECOND = DOMAIN.translations[1] as Translation;
const LAST = DOMAIN.translations.at(-1) as Translation;

type Planted = {
  readonly says: string;
  readonly state: HiddenState;
  /** Matches the report of the difference. */
  readonly where: RegExp;
};

const IN_DOMAIN = /^the domain of hwpt \d+ of descriptor 3$/;

const PLANTED: readonly Planted[] = [
  {
    says: 'a translation that is missing at the start',
    state: withDomain({ translations: DOMAIN.translations.slice(1) }),
    where: IN_DOMAIN,
  },
  {
    says: 'a translation that is missing at the end',
    state: withDomain({ translations: DOMAIN.translations.slice(0, -1) }),
    where: IN_DOMAIN,
  },
  {
    says: 'nothing translated at all',
    state: withDomain({ translations: [] }),
    where: IN_DOMAIN,
  },
  {
    says: 'a translation too many',
    state: withDomain({
      translations: [...DOMAIN.translations, { ...LAST, iova: LAST.iova + 16n * PAGE }],
    }),
    where: IN_DOMAIN,
  },
  {
    says: 'another IOVA',
    state: withTranslation(0, { iova: FIRST.iova - PAGE }),
    where: IN_DOMAIN,
  },
  { says: 'a shorter span', state: withTranslation(0, { length: 2048 }), where: IN_DOMAIN },
  {
    says: 'another offset in the page',
    state: withTranslation(0, { offset: 8 }),
    where: IN_DOMAIN,
  },
  {
    says: 'another known page',
    state: withTranslation(1, { frame: FIRST.frame }),
    where: IN_DOMAIN,
  },
  {
    says: 'a page twice under two names',
    state: withTranslation(0, { frame: SECOND.frame }),
    where: IN_DOMAIN,
  },
  {
    says: 'a permission to write that was not given',
    state: withTranslation(DOMAIN.translations.length - 1, { writable: true }),
    where: IN_DOMAIN,
  },
  {
    says: 'a permission to read that is missing',
    state: withTranslation(0, { readable: false }),
    where: IN_DOMAIN,
  },
  { says: 'a domain that is missing', state: { ...STATE, domains: [] }, where: IN_DOMAIN },
  {
    says: 'a domain too many',
    state: { ...STATE, domains: [DOMAIN, { ...DOMAIN, hwpt: 99 }] },
    where: /^the domain of hwpt 99 of descriptor 3$/,
  },
  {
    says: 'a page that is pinned twice',
    state: {
      ...STATE,
      pins: STATE.pins.map((pin, index) => (index === 0 ? { ...pin, count: 2 } : pin)),
    },
    where: /^pins$/,
  },
  {
    says: 'a page that is not pinned any more',
    state: { ...STATE, pins: STATE.pins.slice(1) },
    where: /^pins$/,
  },
  {
    says: 'a page that is pinned and should not be',
    state: { ...STATE, pins: [...STATE.pins, { frame: 9999, count: 1 }] },
    where: /^pins$/,
  },
  {
    says: 'another alignment of an IOAS',
    state: { ...STATE, tables: STATE.tables.map((table) => ({ ...table, alignment: 1n })) },
    where: /^IOAS \d+ of descriptor 3$/,
  },
  ...(['process', 'pinned', 'user'] as const).map((account) => ({
    says: `the account "${account}" one page too high`,
    state: { ...STATE, locked: { ...STATE.locked, [account]: STATE.locked[account] + 1 } },
    where: /^locked memory$/,
  })),
];

const hidden = suite('hidden state');

hidden('the program pins what the comparison is about', () => {
  assert.is(DOMAIN.translations.length, 3);
  assert.is(STATE.pins.length, 3);
  assert.is(STATE.locked.user, 3);
});

hidden('equal states have no difference', () => {
  assert.equal(hiddenDifferences(world, STATE), []);
});

for (const { says, state, where } of PLANTED) {
  hidden(`${says} is reported`, () => {
    const differences = hiddenDifferences(world, state);
    assert.ok(differences.length > 0, 'no difference');
    assert.match(differences[0]?.where ?? '', where);
    for (const { expected, observed } of differences) assert.is.not(expected, observed);
  });
}

hidden('frame numbers do not matter as long as they are distinct', () => {
  const renamed = (frame: number): number => 100_000 - 7 * frame;
  const state: HiddenState = {
    ...STATE,
    domains: STATE.domains.map((domain) => ({
      ...domain,
      translations: domain.translations.map((one) => ({ ...one, frame: renamed(one.frame) })),
    })),
    pins: STATE.pins.map((pin) => ({ ...pin, frame: renamed(pin.frame) })),
  };
  assert.equal(hiddenDifferences(world, state), []);
});

hidden.run();
