// SPDX-License-Identifier: MIT
// Debian's source packages of the kernel, through the machine's own apt, which knows the mirror and checks the
// signatures.

import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentError } from '../vm/environment-error.ts';
import { cacheFolder, makeCacheFolder, packageFolder, saveInCache } from './cache.ts';
import {
  chooseOffer,
  type Offer,
  packageOf,
  parseOffers,
  releaseOf,
  type Wanted,
} from './offers.ts';
import { outputOf, run } from './run.ts';

/** Where kernels newer than a release's own are, if the machine's apt has no such package. */
const FURTHER_SUITES = ['trixie-backports', 'bookworm-backports', 'sid'];
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Called with the current stage, in a few words. */
export type Report = (stage: string) => void;

type OfferSource = { readonly offer: Offer; readonly aptOptions: readonly string[] };

const offersOf = async (
  wanted: Wanted,
  aptOptions: readonly string[],
): Promise<readonly Offer[]> => {
  const { output } = await run('apt-cache', [...aptOptions, 'madison', packageOf(wanted)]);
  return parseOffers(output);
};

/** The first mirror of the machine's that has Debian's own archive, not only its security updates. */
const findMirror = async (): Promise<string> => {
  const text = await outputOf('apt-get', [
    'indextargets',
    '--format',
    '$(REPO_URI) $(RELEASE)',
    'Created-By: Packages',
  ]);
  const entries = text.split('\n').map((line) => line.split(' '));
  const [mirror] = entries.find(([uri, suite]) => /debian\/?$/.test(uri ?? '') && suite) ?? [];
  if (mirror !== undefined) return mirror;
  throw new EnvironmentError(
    "This machine's apt has no mirror of Debian to take a kernel's source from; point at a tree with --tree.",
  );
};

/** Our own package lists, separate from the machine's, so that no privilege is needed. */
const readSuites = async (
  suites: readonly string[],
  report: Report,
): Promise<readonly string[]> => {
  const mirror = await findMirror();
  const folder = join(cacheFolder(), 'apt');
  for (const name of ['lists/partial', 'cache/archives/partial']) {
    makeCacheFolder(join(folder, name));
  }
  const sources = join(folder, 'sources.list');
  const signed = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : '';
  const lines = suites.map((suite) => `deb ${signed}${mirror} ${suite} main\n`);
  await saveInCache(sources, lines.join(''));
  const settings = [
    `Dir::Etc::SourceList=${sources}`,
    'Dir::Etc::SourceParts=/dev/null',
    `Dir::State::Lists=${join(folder, 'lists')}`,
    `Dir::Cache=${join(folder, 'cache')}`,
    'Acquire::Languages=none',
    'APT::Sandbox::User=root',
  ];
  const aptOptions = settings.flatMap((setting) => ['-o', setting]);
  report(`asking for ${suites.join(', ')}`);
  const { complaint } = await run('apt-get', [...aptOptions, 'update']);
  // If a suite cannot be read, the others are still searched.
  for (const line of complaint.split('\n')) if (line.startsWith('E:')) report(line);
  return aptOptions;
};

const named = ({ series, release }: Wanted, suite: string | undefined): string =>
  `the source of Linux ${release ?? series}${suite === undefined ? '' : ` in ${suite}`}`;

const findPackage = async (
  wanted: Wanted,
  suite: string | undefined,
  specified: readonly string[],
  report: Report,
): Promise<OfferSource> => {
  const known = await offersOf(wanted, []);
  const offer = chooseOffer(known, wanted, suite, specified);
  if (offer !== undefined) return { offer, aptOptions: [] };
  const aptOptions = await readSuites(suite === undefined ? FURTHER_SUITES : [suite], report);
  const further = await offersOf(wanted, aptOptions);
  const other = chooseOffer(further, wanted, suite, specified);
  if (other !== undefined) return { offer: other, aptOptions };
  const seen = [...known, ...further].map((one) => `${releaseOf(one)} (${one.suite})`);
  const there = seen.length === 0 ? 'none of that series' : [...new Set(seen)].join(', ');
  throw new EnvironmentError(
    `Debian does not have ${named(wanted, suite)}; there is ${there}. Name another suite with --suite, or a tree with --tree.`,
  );
};

const onlyFile = (folder: string, pattern: RegExp): string => {
  const name = readdirSync(folder).find((each) => pattern.test(each));
  if (name === undefined) throw new EnvironmentError(`There is no ${pattern} in ${folder}.`);
  return join(folder, name);
};

/** A source tree gets its name when it is complete. */
const unpack = async (
  { offer, aptOptions }: OfferSource,
  folder: string,
  report: Report,
  signal?: AbortSignal,
) => {
  const options = signal === undefined ? {} : { signal };
  const partial = join(folder, 'partial');
  rmSync(partial, { recursive: true, force: true });
  makeCacheFolder(partial);
  report(`fetching ${offer.name} ${offer.version} from ${offer.suite}`);
  const wanted = `${offer.name}=${offer.version}`;
  await outputOf('apt-get', [...aptOptions, 'download', wanted], { ...options, folder: partial });
  report('unpacking the source');
  const archive = onlyFile(partial, /\.deb$/);
  await outputOf('dpkg-deb', ['-x', archive, partial], options);
  rmSync(archive);
  const tarball = onlyFile(join(partial, 'usr', 'src'), /\.tar\.(xz|gz|zst)$/);
  await outputOf('tar', ['-x', '-f', tarball, '-C', partial], options);
  renameSync(join(partial, offer.name), join(folder, 'source'));
  rmSync(partial, { recursive: true });
};

/** A source tree, and the folder of its builds. */
export type Source = { readonly tree: string; readonly folder: string };

/** Fetched and unpacked once. Rejects with EnvironmentError where Debian or apt does not have it. */
export const debianSource = async (
  wanted: Wanted,
  suite: string | undefined,
  specified: readonly string[],
  report: Report,
  signal?: AbortSignal,
): Promise<Source> => {
  const found = await findPackage(wanted, suite, specified, report);
  const folder = packageFolder(found.offer.name, found.offer.version);
  const tree = join(folder, 'source');
  if (!existsSync(tree)) await unpack(found, folder, report, signal);
  return { tree, folder };
};
