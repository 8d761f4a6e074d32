// SPDX-License-Identifier: MIT
// Options for facts that decide replies and that a recording need not state.

import { type Command, InvalidArgumentError } from 'commander';
import type { ReleaseName } from '../../spec/terms/releases.ts';
import type { StatedFacts } from '../trace/recording.ts';
import { optionOf } from './did-you-mean.ts';
import { releaseVersion, wholeNumber } from './settings.ts';

export type StatedOptions = {
  readonly release?: ReleaseName;
  readonly keepsCapabilities?: true;
  readonly memlock?: number;
  readonly dmaEntryLimit?: number;
  readonly interrupts?: 'usable' | 'unusable';
  readonly groupsInUse?: readonly number[];
};

const LIMIT_MAX = 2 ** 32 - 1;

const entryLimit = (text: string): number => {
  const limit = wholeNumber(0)(text);
  if (limit <= LIMIT_MAX) return limit;
  throw new InvalidArgumentError(`It must be at most ${LIMIT_MAX}.`);
};

/** "4,5", or "none" */
const groups = (text: string): readonly number[] =>
  text === 'none' ? [] : text.split(',').map(wholeNumber(0));

export const addStatedOptions = (command: Command): Command =>
  command
    .option(
      '--release <version>',
      'the version of Linux that was recorded, instead of the one that the file names',
      releaseVersion,
    )
    .option('--keeps-capabilities', 'a program that starts with every capability drops none')
    .option(
      '--memlock <pages>',
      'RLIMIT_MEMLOCK of the recorded program, in pages, less the pages that are locked otherwise',
      wholeNumber(0),
    )
    .option('--dma-entry-limit <maps>', 'vfio_iommu_type1.dma_entry_limit', entryLimit)
    .addOption(
      optionOf(
        '--interrupts <use>',
        'whether devices may be used: usable if their interrupts are isolated or allow_unsafe_interrupts is set',
        ['usable', 'unusable'],
      ),
    )
    .option(
      '--groups-in-use <numbers>',
      'groups with a device that a driver of the kernel has, like 4,5, or none',
      groups,
    );

/** The facts that the options state. */
export const statedFacts = ({
  release,
  keepsCapabilities,
  memlock,
  dmaEntryLimit,
  interrupts,
  groupsInUse,
}: StatedOptions): StatedFacts => {
  const usable = interrupts === 'usable';
  return {
    ...(release === undefined ? {} : { release }),
    ...(keepsCapabilities === undefined ? {} : { keepsCapabilities }),
    ...(memlock === undefined ? {} : { memlock }),
    ...(dmaEntryLimit === undefined ? {} : { dmaEntryLimit }),
    ...(interrupts === undefined ? {} : { interrupts: { type1: usable, iommufd: usable } }),
    ...(groupsInUse === undefined ? {} : { groupsInUse }),
  };
};
