// SPDX-License-Identifier: MIT
// What this machine needs to build a kernel, and which of Debian's packages has it.

import { spawnSync } from 'node:child_process';
import { EnvironmentError } from '../vm/environment-error.ts';

type Requirement = {
  readonly what: string;
  readonly package: string;
  /** A command that succeeds if it is installed. */
  readonly probe: readonly [program: string, ...words: string[]];
  readonly input?: string;
};

const program = (name: string, package_: string): Requirement => ({
  what: name,
  package: package_,
  probe: [name, '--version'],
});

const header = (name: string, package_: string): Requirement => ({
  what: name,
  package: package_,
  probe: ['gcc', '-E', '-x', 'c', '-'],
  input: `#include <${name}>\n`,
});

const COMPILING: readonly Requirement[] = [
  program('make', 'make'),
  program('gcc', 'gcc'),
  program('ld', 'binutils'),
  program('flex', 'flex'),
  program('bison', 'bison'),
  program('bc', 'bc'),
  header('stdlib.h', 'libc6-dev'),
  header('gelf.h', 'libelf-dev'),
];

const UNPACKING: readonly Requirement[] = [
  program('apt-get', 'apt'),
  program('dpkg-deb', 'dpkg'),
  program('tar', 'tar'),
  program('xz', 'xz-utils'),
];

const isThere = ({ probe: [name, ...words], input }: Requirement): boolean =>
  spawnSync(name, words, { input: input ?? '', stdio: ['pipe', 'ignore', 'ignore'] }).status === 0;

/** The missing packages, as one message; undefined if there are none. */
export const missingText = (
  missing: readonly Pick<Requirement, 'what' | 'package'>[],
): string | undefined =>
  missing.length === 0
    ? undefined
    : [
        `To build a kernel, this machine lacks ${missing.map(({ what }) => what).join(', ')}:`,
        `  apt-get install ${missing.map((one) => one.package).join(' ')}`,
      ].join('\n');

/** Throws EnvironmentError with the packages that are missing. `unpacking` is for Debian's source packages. */
export const requireTools = (unpacking: boolean): void => {
  const wanted = unpacking ? [...UNPACKING, ...COMPILING] : COMPILING;
  const text = missingText(wanted.filter((one) => !isThere(one)));
  if (text !== undefined) throw new EnvironmentError(text);
};
