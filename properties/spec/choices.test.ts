// SPDX-License-Identifier: MIT
// What the kernel may choose: any value that fits leads to the same world under another name, and those that do not fit
// are distinguished from those that do.

import { U64_MAX } from '../../spec/abi/units.ts';
import type { Choice, Reply } from '../../spec/outcome/outcome.ts';
import type { World } from '../../spec/state/world.ts';
import { step } from '../../spec/step.ts';
import { checkLaws, eachStep, sometimes } from '../harness/law.ts';
import type { Visit } from '../harness/visits.ts';
import { contextsOf, hex } from '../helpers/worlds.ts';

const chosenBy = (visit: Visit): readonly Reply[] =>
  step(visit.before, visit.call).filter(
    (outcome): outcome is Reply => outcome.kind === 'reply' && outcome.choices !== undefined,
  );

const OTHER: Readonly<Record<string, readonly bigint[]>> = {
  'an object id': [0x7fff_fff0n, 1000n, 2000n],
  'a descriptor': [1000n, 2000n, 3000n],
  'an IOVA': [0x5000_0000n, 0x7000_0000n, 0x1_2345_6000n],
};

/** Other values than the preferred ones, all different, as far as they fit. */
const otherValues = (choices: readonly Choice[]): readonly bigint[] | undefined => {
  const values: bigint[] = [];
  for (const choice of choices) {
    const offset = choice.what === 'an IOVA' ? choice.preferred % 4096n : 0n;
    const value = (OTHER[choice.what] ?? [])
      .map((one) => one + offset)
      .find((one) => !values.includes(one) && choice.unfit(one, values) === undefined);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
};

/** How much there is of everything: names do not count. */
const sizes = (world: World): string =>
  JSON.stringify([
    world.files?.size,
    world.processes?.value.descriptors?.size,
    world.memory.userLocked,
    [...contextsOf(world)].map(({ objects, pages }) => [objects?.size, pages?.size]),
  ]);

const anyFittingChoice = eachStep(
  'any choice that fits leads to the same, under another name',
  (visit) => {
    for (const { choices, world } of chosenBy(visit)) {
      if (choices === undefined) continue;
      const values = otherValues(choices.list);
      if (values === undefined) continue;
      const otherwise = sizes(choices.world(values));
      if (otherwise !== sizes(world)) return `${otherwise} instead of ${sizes(world)}`;
    }
    return undefined;
  },
);

const NEVER_IDS: readonly bigint[] = [0n, 0x8000_0000n, 0xffff_ffffn];

/** Ids are positive numbers of 31 bits, and one call gives each only once. */
const badIds = eachStep('what is no id cannot be chosen', (visit) => {
  for (const { choices } of chosenBy(visit)) {
    for (const choice of choices?.list ?? []) {
      if (choice.what !== 'an object id') continue;
      const fits = NEVER_IDS.find((value) => choice.unfit(value, []) === undefined);
      if (fits !== undefined) return hex(fits);
      if (choice.unfit(choice.preferred, [choice.preferred]) === undefined) return 'the same twice';
    }
  }
  return undefined;
});

/** In the first and the last page of the address space. */
const NEVER_IOVAS: readonly bigint[] = [0n, 0xfffn, U64_MAX - 0xfffn, U64_MAX];

const badIovas = eachStep('no IOVA is chosen in the first page or the last', (visit) => {
  for (const { choices } of chosenBy(visit)) {
    for (const choice of choices?.list ?? []) {
      if (choice.what !== 'an IOVA') continue;
      const fits = NEVER_IOVAS.find((value) => choice.unfit(value, []) === undefined);
      if (fits !== undefined) return hex(fits);
    }
  }
  return undefined;
});

/** A physical address can be reported again; every other choice takes something. */
const REPEATABLE: ReadonlySet<string> = new Set([
  'a physical address',
  'how many bytes are contiguous',
]);

/** A choice that was made may not be made again. */
const chosenOnce = eachStep('what is chosen is in use from then on', (visit) => {
  for (const { choices, world } of chosenBy(visit)) {
    for (const [index, choice] of (choices?.list ?? []).entries()) {
      if (REPEATABLE.has(choice.what)) continue;
      const again = step(world, visit.call);
      for (const outcome of again) {
        if (outcome.kind !== 'reply' || outcome.choices === undefined) continue;
        const same = outcome.choices.list[index];
        if (same?.what === choice.what && same.unfit(choice.preferred, []) === undefined) {
          return `${choice.what} ${choice.preferred} fits again`;
        }
      }
    }
  }
  return undefined;
});

const chooses = (name: string, what: string, count = 1) =>
  sometimes(name, (visit) =>
    chosenBy(visit).some(
      ({ choices }) =>
        (choices?.list ?? []).filter((choice) => choice.what === what).length >= count,
    ),
  );

checkLaws('choices', [
  anyFittingChoice,
  badIds,
  badIovas,
  chosenOnce,
  chooses('an id is chosen', 'an object id'),
  chooses('three ids are chosen at once', 'an object id', 3),
  chooses('a descriptor is chosen', 'a descriptor'),
  chooses('an IOVA is chosen', 'an IOVA'),
]);
