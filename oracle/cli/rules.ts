// SPDX-License-Identifier: MIT
// iommufd-spec rules: the reference.

import type { Command } from 'commander';
import { partsUsedBy, releasesOf } from '../../spec/parts-used.ts';
import { ALL_PARTS, SECTIONS } from '../../spec/rules.ts';
import type { ReleaseName } from '../../spec/terms/releases.ts';
import {
  isPartNamed,
  nearestPart,
  rulesMarkdown,
  rulesOn,
  rulesText,
} from '../report/rules-text.ts';
import { jsonLine } from '../trace/json-line.ts';
import { BadUse } from './bad-use.ts';
import { FINE } from './exit-status.ts';
import { openOutput } from './output.ts';
import { releaseVersion } from './settings.ts';

type Options = {
  readonly json?: true;
  readonly markdown?: true;
  readonly release?: ReleaseName;
};

const EXAMPLES = `
Examples:
  $ iommufd-spec rules
  $ iommufd-spec rules ioas_map
  $ iommufd-spec rules --release 6.14 bind
  $ iommufd-spec rules --json | jq '.[] | select(.errno == "EADDRINUSE") | .id'
  $ iommufd-spec rules --markdown > docs/reference.md`;

/** One object a rule, in the order of the reference. */
const rulesJson = (
  part: string | undefined,
  release: ReleaseName | undefined,
): readonly unknown[] =>
  SECTIONS.flatMap(({ title, parts }) =>
    parts
      .filter((one) => isPartNamed(one, part))
      .flatMap(({ id, rules }) =>
        rulesOn(rules, release).map((rule) => ({
          ...rule,
          section: title,
          releases: releasesOf(rule) ?? 'all',
          uses: partsUsedBy(id),
        })),
      ),
  );

const printRules = (part: string | undefined, options: Options): number => {
  const isPart = part !== undefined || options.release !== undefined;
  if (options.markdown === true && (isPart || options.json === true)) {
    throw new BadUse(
      '--markdown prints the whole reference: leave out the part, --release and --json.',
    );
  }
  const output = openOutput();
  if (options.markdown === true) {
    output.lines(rulesMarkdown());
    return FINE;
  }
  if (!ALL_PARTS.some((one) => isPartNamed(one, part))) {
    throw new BadUse(
      `No part of the reference is called ${part}. Did you mean ${nearestPart(part ?? '')}? Without a name all are printed.`,
    );
  }
  if (options.json === true) output.line(jsonLine(rulesJson(part, options.release)));
  else output.lines(rulesText(part, options.release, output.palette));
  return FINE;
};

export const addRules = (program: Command): void => {
  program
    .command('rules')
    .description('print the reference: every rule with its sentence, source and releases')
    .argument('[part]', 'a call or a part of it, by id or title: ioas_map, unmap, cutting')
    .option('--release <version>', 'only the rules of this version of Linux', releaseVersion)
    .option('--json', 'print one line of JSON')
    .option('--markdown', 'print what docs/reference.md holds')
    .addHelpText('after', EXAMPLES)
    .action((part: string | undefined, options: Options) => {
      process.exitCode = printRules(part, options);
    });
};
