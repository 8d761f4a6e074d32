// SPDX-License-Identifier: MIT
// The graphs in docs/speed: what a map and an unmap cost against the number of mappings, and what judging a recording costs
// against its length. Run from the checkout: node dist/properties/bench/graphs.js

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chartSvg, type Series } from './chart.ts';
import { judgeTime } from './judge-speed.ts';
import { costsBySize } from './step-cost.ts';

const FOLDER = join('docs', 'speed');
const MAPPINGS = [10, 100, 1000, 10_000, 100_000, 1_000_000];
const CALLS = [10_000, 30_000, 100_000, 300_000, 1_000_000];

const save = (name: string, svg: string, series: readonly Series[]): void => {
  writeFileSync(join(FOLDER, `${name}.svg`), svg);
  for (const { name: what, points } of series) {
    for (const { x, y } of points)
      process.stdout.write(`${name}  ${what}  ${x}  ${y.toPrecision(3)}\n`);
  }
};

mkdirSync(FOLDER, { recursive: true });

const costs = costsBySize(MAPPINGS).map(({ name, costs: list }) => ({
  name,
  points: list.map(({ size, cost }) => ({ x: size, y: cost })),
}));
const mappings = chartSvg({
  title: 'One map or unmap in a table of many',
  xTitle: 'mappings in the table',
  yTitle: 'microseconds, median of 25 batches of 800 calls',
  series: costs,
});
save('mappings', mappings, costs);

const times: { x: number; y: number }[] = [];
// The first is slow, as nothing has been compiled yet.
await judgeTime(CALLS[0] as number);
for (const least of CALLS) {
  const { calls, time } = await judgeTime(least);
  times.push({ x: calls, y: time });
}
const judging = [{ name: 'judge', points: times }];
const recordings = chartSvg({
  title: 'Judging a plain recording, from the file to the verdicts',
  xTitle: 'calls in the recording',
  yTitle: 'seconds, median of 3',
  series: judging,
});
save('recordings', recordings, judging);
