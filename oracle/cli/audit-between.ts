// SPDX-License-Identifier: MIT
// iommufd-spec audit --between: what changed for programs from one release to another.

import { setImmediate } from 'node:timers/promises';
import { AUDITED_RELEASES, type AuditedRelease } from '../emit/audited-releases.ts';
import { count, grouped } from '../text/quantities.ts';
import { jsonLine } from '../trace/json-line.ts';
import { audited, INTERRUPTED_SAYS, requireFolder } from './audit-output.ts';
import { BadUse } from './bad-use.ts';
import { FINE, INTERRUPTED } from './exit-status.ts';
import { interruption } from './interruption.ts';
import { openOutput } from './output.ts';
import { NO_PROGRESS, startProgress } from './progress.ts';

type Options = {
  readonly between: readonly string[];
  readonly output: string;
  readonly random?: number;
  readonly seed: number;
  readonly json?: true;
};

/** Programs of native calls, by default. */
const RUNS = 4_000;

const releasesIn = (
  words: readonly string[],
): { readonly earlier: AuditedRelease; readonly later: AuditedRelease } => {
  const [earlier, later] = words.map((word) => AUDITED_RELEASES.find((name) => name === word));
  const isInOrder =
    earlier !== undefined &&
    later !== undefined &&
    AUDITED_RELEASES.indexOf(earlier) < AUDITED_RELEASES.indexOf(later);
  if (words.length !== 2 || !isInOrder) {
    throw new BadUse(
      `--between wants two of the releases ${AUDITED_RELEASES.join(', ')}, the earlier one first.`,
    );
  }
  return { earlier, later };
};

export const auditBetween = async (options: Options): Promise<number> => {
  const releases = releasesIn(options.between);
  if (options.json !== true) {
    requireFolder(options.output);
    const { requirePair } = await import('./audit-folder.ts');
    requirePair(options.output, releases.earlier, releases.later);
  }
  const output = openOutput();
  const { signal, release } = interruption();
  const { runBetween } = await import('../audit/run-audit.ts');
  const { SCENARIOS } = await import('../audit/platforms.ts');
  const progress =
    options.json === true ? NO_PROGRESS : startProgress(output, SCENARIOS.length, 'platforms');
  const changes = await runBetween({
    ...releases,
    random: { runs: options.random ?? RUNS, seed: options.seed },
    watch: async (scenario, done) => {
      const on = scenario === undefined ? SCENARIOS.length : SCENARIOS.indexOf(scenario);
      progress.at(on, `${grouped(done)} ${scenario === undefined ? 'programs' : 'requests'}`);
      await setImmediate();
      return !signal.aborted;
    },
  });
  progress.hide();
  release();
  const { recordedChanges } = await import('../audit/recorded.ts');
  const { changesDocumentOf } = await import('../audit/pages/changes.ts');
  const recorded = recordedChanges(releases, changes);
  const document = changesDocumentOf(recorded);
  const counts = document.containers.map(
    ({ name, changes: found }) => `${name}: ${count(found.length, 'change')}`,
  );
  if (options.json === true) output.line(jsonLine(audited(document, signal)));
  else output.lines(counts);
  if (signal.aborted) {
    output.error(output.errorPalette.doubtful(INTERRUPTED_SAYS));
    return INTERRUPTED;
  }
  if (options.json !== true) {
    const { writeChanges } = await import('./audit-folder.ts');
    const paths = await writeChanges(options.output, recorded);
    output.lines(paths.map((path) => `wrote ${path}`));
  }
  return FINE;
};
