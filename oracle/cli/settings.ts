// SPDX-License-Identifier: MIT
// The options for release, platform and credentials, and the settings that they select.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFECT_NAMES, saysOf } from '../../model/emulator/defects.ts';
import { U64_MAX } from '../../spec/abi/units.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { PLATFORMS, platformNamed, USUAL_PLATFORMS } from '../../spec/terms/platforms.ts';
import {
  OUTER_RELEASES,
  RELEASE_NAMES,
  type ReleaseName,
  versionOf,
} from '../../spec/terms/releases.ts';
import { oneMore, optionOf } from './did-you-mean.ts';

const PAGE = 4096n;

/** Enough for most maps of a program, but not for all. */
const DEFAULT_MEMLOCK_PAGES = 64;

export type SettingOptions = {
  readonly release?: ReleaseName;
  readonly platform?: string;
  readonly unprivileged?: true;
  readonly memlock?: number;
};

/** A version of Linux from 6.2 on. Throws InvalidArgumentError. */
export const releaseVersion = (text: string): ReleaseName => {
  if (versionOf(text) !== undefined) return text;
  throw new InvalidArgumentError(
    'It must be a version of Linux from 6.2 on, such as 6.12.95 or 6.14.0-29-generic.',
  );
};

/** A whole number of at least `least`. */
export const wholeNumber =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`It must be a whole number of at least ${least}.`);
    }
    return value;
  };

/** A timer counts milliseconds in 31 bits. */
const SECONDS_MAX = 2_000_000;

export const secondsNumber = (text: string): number => {
  const seconds = wholeNumber(1)(text);
  if (seconds <= SECONDS_MAX) return seconds;
  throw new InvalidArgumentError(`It must be at most ${SECONDS_MAX}.`);
};

export const addSettingOptions = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--release <version>',
        `a version of Linux from 6.2 on: ${RELEASE_NAMES.join(', ')} are tried`,
      ).argParser(releaseVersion),
    )
    .addOption(
      optionOf(
        '--platform <platform>',
        'the IOMMUs and devices of the machine',
        Object.keys(PLATFORMS),
      ),
    )
    .option('--unprivileged', 'the program has no capability, so that limits apply')
    .option(
      '--memlock <pages>',
      `RLIMIT_MEMLOCK of an unprivileged program, in pages (default: ${DEFAULT_MEMLOCK_PAGES})`,
      wholeNumber(0),
    );

const credentials = (isPrivileged: boolean, pages: number): Setting['credentials'] =>
  isPrivileged
    ? { privileged: true, memlockLimit: U64_MAX }
    : { privileged: false, memlockLimit: BigInt(pages) * PAGE };

/** The credentials of one program, if the options do not choose several. */
export const credentialsOf = ({ unprivileged, memlock }: SettingOptions): Setting['credentials'] =>
  credentials(unprivileged !== true && memlock === undefined, memlock ?? DEFAULT_MEMLOCK_PAGES);

/**
 * Every combination of the settings that the options leave open: each release, each platform, with and without
 * privilege.
 */
export const settingsFor = (options: SettingOptions): readonly Setting[] => {
  const releases = options.release === undefined ? OUTER_RELEASES : [options.release];
  const platforms = options.platform === undefined ? USUAL_PLATFORMS : [options.platform];
  const isUnprivileged = options.unprivileged === true || options.memlock !== undefined;
  const isNarrowed = options.release !== undefined || options.platform !== undefined;
  const privileges = isUnprivileged ? [false] : isNarrowed ? [true] : [true, false];
  const pages = options.memlock ?? DEFAULT_MEMLOCK_PAGES;
  return releases.flatMap((release) =>
    platforms.flatMap((name) => {
      const platform = platformNamed(name);
      return platform === undefined
        ? []
        : privileges.map((isPrivileged) => ({
            release,
            platform,
            credentials: credentials(isPrivileged, pages),
          }));
    }),
  );
};

/** Deliberate defects of the emulator, to show a violation. */
export const addDefectOption = (command: Command): Command =>
  command.addOption(
    new Option(
      '--defect <name>',
      'put a deliberate defect into the emulator, repeat for several',
    ).argParser(oneMore(DEFECT_NAMES)),
  );

export const defectsText = (): string =>
  `\nDefects of the emulator, to see that they are found:\n${DEFECT_NAMES.map(
    (name) => `  ${name}\n      ${saysOf(name)}`,
  ).join('\n')}`;
