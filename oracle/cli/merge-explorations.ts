// SPDX-License-Identifier: MIT
// merge for files that explore --save wrote: merges the parts of one exploration.

import {
  type MergedExploration,
  mergedExploration,
  type NamedExploration,
  whyNotOneExploration,
} from '../explore/merge-explorations.ts';
import type { ExploreReport } from '../explore/run-explore.ts';
import { exploreText } from '../report/explore-text.ts';
import { listed, ranges } from '../text/quantities.ts';
import { visible } from '../text/visible.ts';
import { jsonLine } from '../trace/json-line.ts';
import { programOf, traceOfLines } from '../trace/trace-file.ts';
import { BadUse } from './bad-use.ts';
import { BAD_INPUT, FINE, VIOLATION } from './exit-status.ts';
import { reportJson } from './explore.ts';
import { savedIn } from './explore-tasks.ts';
import { openOutput } from './output.ts';
import { writeTrace } from './save-trace.ts';
import { writeAll } from './write-result.ts';

type Options = { readonly save: string; readonly json?: true; readonly verbose?: true };

/** Opens every file, merges them, and closes them in any case. */
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

/** With the program that breaks a law. */
const withProgram = ({ report, broken }: MergedExploration): ExploreReport => {
  if (broken === undefined) return report;
  const { law, how, trace } = broken;
  return {
    ...report,
    broken: { law, how, program: programOf(traceOfLines('the exploration', trace)) },
  };
};

export const mergeExplorations = async (
  names: readonly string[],
  { save, json, verbose }: Options,
): Promise<number> => {
  const output = openOutput();
  const whole = await merged(names);
  const report = withProgram(whole);
  const { missing, unfinished, broken } = whole;
  const { isWritten, failIfUnwritten } = await writeAll({
    program: broken && (() => writeTrace(save, broken.trace)),
  });
  const saved = isWritten('program') ? save : undefined;
  if (json === true) {
    output.line(jsonLine({ explorations: [reportJson(report)], missing, unfinished, saved }));
  } else {
    output.lines(exploreText([report], verbose === true, output.palette));
    if (saved !== undefined) {
      output.lines(['', `Saved to ${saved}; to run it: iommufd-spec replay ${saved}`]);
    }
  }
  const { doubtful } = output.errorPalette;
  if (missing.length > 0) {
    const parts = missing.length === 1 ? 'part' : 'parts';
    output.error(doubtful(`no exploration of ${parts} ${listed(ranges(missing))}`));
  }
  for (const name of unfinished) {
    output.error(
      doubtful(`${visible(name)}  is not complete: iommufd-spec explore --resume ${visible(name)}`),
    );
  }
  failIfUnwritten();
  if (report.broken !== undefined) return VIOLATION;
  return missing.length + unfinished.length > 0 ? BAD_INPUT : FINE;
};
