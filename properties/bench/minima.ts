// SPDX-License-Identifier: MIT
// Whether the known program of each Linux defect is a shortest one, and among how many programs.

import { HISTORICAL_NAMES } from '../../model/emulator/defects.ts';
import { programText } from '../../oracle/report/program-text.ts';
import { type Minimum, minimumOf } from '../defects/minimum.ts';
import type { ShownDefect } from '../defects/shown-defect.ts';
import { SHOWN_HISTORY } from '../defects/shown-history.ts';
import type { Measured } from './measured.ts';

const BOUNDS = { every: 100_000, byState: 1_000_000 };

/** Maps that a legacy container is let have in place of as many as the platform does: then few calls show the defect. */
const FEW_MAPS = 3;

/** The defect of which the known program is too long for a proof, with less that is to be filled. */
const withFewMaps = ({ defect, setting, program }: ShownDefect): ShownDefect => {
  const { dmaEntryLimit } = setting.platform;
  return {
    defect,
    setting: { ...setting, platform: { ...setting.platform, dmaEntryLimit: FEW_MAPS } },
    program: program.slice(0, program.length - dmaEntryLimit + FEW_MAPS),
  };
};

const wordsOf = ({ shown, actionSets, actions, every, found }: Minimum): string => {
  const { length } = shown.program;
  const which = every ? 'every one' : 'one for each state';
  const of = `of ${actions.length} calls (${actionSets.map(({ name }) => name).join(', ')})`;
  const run = `${found.programs} programs ${of}, ${which}; the defect was at work in ${found.atWork}`;
  if (found.kind === 'shown') {
    const text = programText(found.program).map((line) => `\n    ${line}`);
    return `${found.program.length} CALLS, NOT ${length}: ${run}${text.join('')}`;
  }
  return found.kind === 'not shown'
    ? `${length} calls are the least: ${run}`
    : `more than ${found.calls} calls, ${length} at most: ${run}`;
};

const measure = (what: string, shown: ShownDefect): Measured => {
  const before = process.cpuUsage();
  const note = wordsOf(minimumOf(shown, BOUNDS));
  const { user, system } = process.cpuUsage(before);
  return { what, value: (user + system) / 1e6, unit: 's', note };
};

export const minima = async (): Promise<readonly Measured[]> => {
  const rows: Measured[] = [];
  for (const name of HISTORICAL_NAMES) {
    const shown = SHOWN_HISTORY.find(({ defect }) => defect === name);
    if (shown === undefined) continue;
    rows.push(measure(name, shown));
    if (name === 'type1-mappings-not-limited') {
      rows.push(measure(`${name}, ${FEW_MAPS} maps`, withFewMaps(shown)));
    }
  }
  return rows;
};
