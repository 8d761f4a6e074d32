// merge, of files that explore --save wrote: the parts of one exploration as one.

import {
  type MergedExploration,
  mergedExploration,
  type NamedExploration,
  whyNotOneExploration,
} from '../explore/merge-explorations.ts';
import type { ExploreReport } from '../explore/run-explore.ts';
import { exploreText } from '../report/explore-text.ts';
import { grouped, listed } from '../text/quantities.ts';
import { visible } from '../text/visible.ts';
import { jsonLine } from '../trace/json-line.ts';
import { readTrace } from '../trace/read-trace.ts';
import { programOf } from '../trace/trace-file.ts';
import { BadUse } from './bad-use.ts';
import { BAD_INPUT, FINE, VIOLATION } from './exit-status.ts';
import { reportJson, savedIn } from './explore.ts';
import { openOutput } from './output.ts';
import { writeResult } from './write-result.ts';

type Options = { readonly save: string; readonly json?: true; readonly verbose?: true };

/** Opens every file, merges, and closes them whatever comes of it. */
const merged = async (names: readonly string[]): Promise<MergedExploration> => {
  const all: NamedExploration[] = [];
  try {
    for (const name of names) all.push({ name, saved: await savedIn(name) });
    const why = whyNotOneExploration(all);
    if (why !== undefined) throw new BadUse(`${why}.`);
    const [first, ...others] = all;
    if (first === undefined) throw new BadUse('No file is named.');
    return mergedExploration([first, ...others]);
  } finally {
    for (const { saved } of all) saved.close();
  }
};

/** With the program that breaks a law, which is saved as a trace. */
const withProgram = async (
  { report, broken }: MergedExploration,
  save: string,
): Promise<ExploreReport> => {
  if (broken === undefined) return report;
  writeResult(save, `${broken.trace.join('\n')}\n`, '--save');
  const { law, how } = broken;
  return { ...report, broken: { law, how, program: programOf(await readTrace(save)) } };
};

export const mergeExplorations = async (
  names: readonly string[],
  { save, json, verbose }: Options,
): Promise<number> => {
  const output = openOutput();
  const whole = await merged(names);
  const report = await withProgram(whole, save);
  const { missing, unfinished } = whole;
  if (json === true) {
    const saved = report.broken === undefined ? {} : { saved: save };
    output.line(jsonLine({ explorations: [reportJson(report)], missing, unfinished, ...saved }));
  } else {
    output.lines(exploreText([report], verbose === true, output.palette));
    if (report.broken !== undefined) {
      output.lines(['', `Saved to ${save}; to run it: iommufd-spec replay ${save}`]);
    }
  }
  const { doubtful } = output.errorPalette;
  if (missing.length > 0) {
    const parts = missing.length === 1 ? 'part' : 'parts';
    output.error(doubtful(`no exploration of ${parts} ${listed(missing.map(grouped))}`));
  }
  for (const name of unfinished) {
    output.error(
      doubtful(
        `${visible(name)} is not at its end: iommufd-spec explore --resume ${visible(name)}`,
      ),
    );
  }
  if (report.broken !== undefined) return VIOLATION;
  return missing.length + unfinished.length > 0 ? BAD_INPUT : FINE;
};
