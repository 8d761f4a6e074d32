// SPDX-License-Identifier: MIT
// The programs that all mutants are judged by: those that `check` generates with the seed, each setting in turn, kept in
// files so that the processes that try mutants need not generate them again.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import * as fc from 'fast-check';
import { programs } from '../../model/arbitrary.ts';
import { startOfProgram } from '../../model/programs/builder.ts';
import type { Program } from '../../model/programs/program.ts';
import { judgeProgram } from '../../oracle/check/judge-program.ts';
import { seedOfBatch } from '../../oracle/check/tally.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { LIMITED, nameOf, PRIVILEGED, SETTINGS, settingOf } from '../helpers/settings.ts';

/** A kernel without CONFIG_IOMMUFD_TEST, as machines that do work have it. */
const untested = (setting: Setting): Setting => ({
  ...setting,
  platform: { ...setting.platform, testCommands: false, mockDevices: false },
});

/** Interrupts that are not isolated, a group that a driver of the kernel's own uses, and numbers of two digits. */
const unsafe = (type1: boolean, iommufd: boolean): Setting => {
  const setting = settingOf('vtd', PRIVILEGED);
  const devices = setting.platform.devices.map((device) => ({
    ...device,
    group: device.group + 10,
    cdev: (device.cdev ?? 0) + 10,
  }));
  const unsafeInterrupts = { type1, iommufd };
  const groupsInUse = type1 ? [] : [15];
  return { ...setting, platform: { ...setting.platform, devices, unsafeInterrupts, groupsInUse } };
};

/** Two mdevs, each in a group of its own. */
const mdev = (): Setting => {
  const setting = settingOf('mdev', PRIVILEGED);
  const [device] = setting.platform.devices;
  const devices =
    device === undefined ? [] : [device, { ...device, name: 'mtty-2', group: 1, cdev: 1 }];
  return { ...setting, platform: { ...setting.platform, devices } };
};

/**
 * Every setting of the tests, mdevs alone, who may not open what has no IOMMU, no test commands, machines that
 * one of the two drivers does not trust, who has locked memory before, and who has privilege and a limit.
 */
export const PLACES: readonly Setting[] = [
  ...SETTINGS,
  mdev(),
  settingOf('noiommu', LIMITED),
  untested(settingOf('vtd', PRIVILEGED)),
  unsafe(false, true),
  unsafe(true, false),
  settingOf('vtd', { ...LIMITED, lockedBefore: 3 }),
  settingOf('vtd', { ...LIMITED, privileged: true }),
];

/** As in a campaign: operations of a program, at most, and programs of a batch. */
const LENGTH = 40;
const BATCH = 50;

/** Programs are numbered through: one of each setting, then the next of each. */
export type Numbered = { readonly setting: Setting; readonly program: Program };

export const placeOf = (number: number): Setting => PLACES[number % PLACES.length] as Setting;

/** Its number in the campaign of its setting. */
export const roundOf = (number: number): number => Math.floor(number / PLACES.length);

const fileOf = (folder: string, batch: number): string => join(folder, `programs-${batch}.bin`);

/** Generates as many programs of every setting into files, a batch each. Throws where the emulator as it is fails one. */
export const generatePrograms = (folder: string, count: number, seed: number): void => {
  const starts = PLACES.map((setting) => startOfProgram(setting));
  for (let batch = 0; batch * BATCH < count; batch += 1) {
    const generated = PLACES.map((setting, place) => {
      const numRuns = Math.min(BATCH, count - batch * BATCH);
      const options = { numRuns, seed: seedOfBatch(seed, batch) };
      const sample = fc.sample(programs(setting, LENGTH), options);
      for (const program of sample) {
        const { failure } = judgeProgram(setting, program, undefined, starts[place]);
        if (failure === undefined) continue;
        throw new Error(
          `The emulator without a mutant fails (${nameOf(setting)}, seed ${seed}): fix that first.`,
        );
      }
      return sample;
    });
    writeFileSync(fileOf(folder, batch), serialize(generated));
  }
};

/** The programs of the files by their numbers; a file is read when it is first asked for. */
export class GeneratedPrograms {
  readonly #folder: string;
  readonly #batches: (readonly (readonly Program[])[] | undefined)[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  at(number: number): Numbered {
    const round = roundOf(number);
    const batch = Math.floor(round / BATCH);
    this.#batches[batch] ??= deserialize(readFileSync(fileOf(this.#folder, batch)));
    const program = this.#batches[batch]?.[number % PLACES.length]?.[round % BATCH];
    if (program === undefined) throw new Error(`Program ${number} was not generated.`);
    return { setting: placeOf(number), program };
  }
}
