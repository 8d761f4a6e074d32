// SPDX-License-Identifier: MIT
// Makes the project's measurements, and prints a table, or JSON with --json. Nothing is asserted:
// machines differ. Arguments select measurements: judge, memory, check, modelrun, step, explore,
// explore-large, defects, minima; a path selects the one on that kernel, a bzImage.

import { campaignRate } from './campaign-rate.ts';
import { checkSpeed } from './check-speed.ts';
import { defects } from './defects.ts';
import { exploreLarge, exploreSpeed } from './explore-speed.ts';
import { judgeMemory, judgeSpeed } from './judge-speed.ts';
import type { Measured } from './measured.ts';
import { minima } from './minima.ts';
import { modelRunSpeed } from './model-run.ts';
import { stepCost } from './step-cost.ts';

const MEASUREMENTS: Readonly<Record<string, () => Promise<readonly Measured[]>>> = {
  judge: judgeSpeed,
  memory: judgeMemory,
  check: checkSpeed,
  modelrun: modelRunSpeed,
  step: stepCost,
  explore: exploreSpeed,
  'explore-large': exploreLarge,
  defects,
  minima,
};

const asNumber = (value: number): string =>
  value >= 1000
    ? Math.round(value).toLocaleString('en').replaceAll(',', ' ')
    : value.toPrecision(3);

const tableOf = (rows: readonly Measured[]): string => {
  const widths = {
    what: Math.max(...rows.map(({ what }) => what.length)),
    value: Math.max(...rows.map(({ value }) => asNumber(value).length)),
  };
  return rows
    .map(({ what, value, unit, note }) =>
      `${what.padEnd(widths.what)}  ${asNumber(value).padStart(widths.value)} ${unit}${note === undefined ? '' : `  (${note})`}`.trimEnd(),
    )
    .join('\n');
};

const main = async (): Promise<void> => {
  const words = process.argv.slice(2).filter((word) => word !== '--json');
  const images = words.filter((word) => word.includes('/'));
  const names = words.filter((word) => !word.includes('/'));
  const unknown = names.find((word) => MEASUREMENTS[word] === undefined);
  if (unknown !== undefined) {
    process.stderr.write(`${unknown} is none of ${Object.keys(MEASUREMENTS).join(', ')}\n`);
    process.exitCode = 2;
    return;
  }
  const chosen = words.length === 0 ? Object.keys(MEASUREMENTS) : names;
  const measurements = [
    ...chosen.map((name) => MEASUREMENTS[name]),
    ...images.map((image) => () => campaignRate(image)),
  ];
  const json = process.argv.includes('--json');
  const all: Measured[] = [];
  for (const measure of measurements) {
    const rows = (await measure?.()) ?? [];
    all.push(...rows);
    if (!json) process.stdout.write(`${tableOf(rows)}\n\n`);
  }
  if (json) process.stdout.write(`${JSON.stringify(all)}\n`);
};

await main();
