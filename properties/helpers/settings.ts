// SPDX-License-Identifier: MIT
// The settings in which programs are generated: each release, platform and kind of program.

import type { Credentials, Platform, Setting } from '../../spec/terms/platform.ts';
import { platformNamed } from '../../spec/terms/platforms.ts';
import { OUTER_RELEASES, type ReleaseName } from '../../spec/terms/releases.ts';

export const PRIVILEGED: Credentials = { privileged: true, memlockLimit: 1n << 62n };

/** May lock 20 pages, so that programs meet the limit. */
export const LIMITED: Credentials = { privileged: false, memlockLimit: 20n * 4096n };

export const platform = (name: string): Platform => {
  const found = platformNamed(name);
  if (found === undefined) throw new Error(`No platform is called ${name}.`);
  return found;
};

export const settingOf = (
  platformName: string,
  credentials: Credentials = PRIVILEGED,
  release: ReleaseName = '7.3.4',
): Setting => ({ release, platform: platform(platformName), credentials });

export const nameOf = ({ release, platform: { name }, credentials }: Setting): string =>
  `${release}, ${name}, ${credentials.privileged ? 'privileged' : 'limited'}`;

/** The outer releases, which have every rule between them, on every platform, privileged and not; without privilege no no-IOMMU group can be opened. */
export const SETTINGS: readonly Setting[] = OUTER_RELEASES.flatMap((release) => [
  ...['mock', 'vtd', 'mixed'].flatMap((name) =>
    [PRIVILEGED, LIMITED].map((credentials) => settingOf(name, credentials, release)),
  ),
  settingOf('virtio', PRIVILEGED, release),
  settingOf('noiommu', PRIVILEGED, release),
]);

/** The releases between, on the platforms where they differ from the outer ones. */
export const INNER_SETTINGS: readonly Setting[] = ['6.12.117', '7.2.13'].flatMap((release) =>
  ['mock', 'noiommu'].map((name) => settingOf(name, PRIVILEGED, release)),
);
