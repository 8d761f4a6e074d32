// SPDX-License-Identifier: MIT
// How fast the explorer is, compared with SPIN on the same models with the same counts, and on the specification itself.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Measured, median } from './measured.ts';
import { missingForSpin, withSpin } from './spin.ts';

const run = promisify(execFile);
const MIB = 1 << 20;

type Model = {
  readonly name: string;
  /** In words, and what the text's size is called. */
  readonly what: string;
  readonly define: string;
  readonly size: number;
  readonly deepest: number;
  readonly distinct: number;
  readonly generated: number;
  readonly rounds: number;
  /** Seconds and MiB that are asked for, where they are. */
  readonly asked?: string;
};

const SMALL: readonly Model[] = [
  {
    name: 'two-phase-commit',
    what: 'two-phase commit, 7 managers',
    define: 'N',
    size: 7,
    deepest: 1000,
    distinct: 296_448,
    generated: 2_744_706,
    rounds: 3,
    asked: '1.5 s',
  },
  {
    name: 'page-table',
    what: 'I/O page table, 7 pages',
    define: 'PAGES',
    size: 7,
    deepest: 2_000_000,
    distinct: 891_482,
    generated: 20_084_155,
    rounds: 3,
  },
];

const LARGE: readonly Model[] = [
  {
    name: 'two-phase-commit',
    what: 'two-phase commit, 9 managers',
    define: 'N',
    size: 9,
    deepest: 1000,
    distinct: 10_340_352,
    generated: 123_558_402,
    rounds: 1,
    asked: '120 s and 1024 MiB',
  },
];

type Ran = {
  readonly seconds: number;
  readonly distinct: number;
  readonly generated: number;
  readonly peak: number;
  /** Bytes that are still held when everything was explored. */
  readonly held: number;
};

/** In a process of its own, so that the memory is its own. */
const explored = async (name: string, size: number): Promise<Ran> => {
  const program = join(fileURLToPath(import.meta.url), '..', 'explore-run.js');
  // Helpers of the collector would count as time of the processor, the more the busier the machine is.
  const flags = ['--expose-gc', '--single-threaded-gc'];
  const { stdout } = await run(process.execPath, [...flags, program, name, `${size}`]);
  return JSON.parse(stdout);
};

/** SPIN prints large numbers with eight digits. */
const sameNumber = (a: number, b: number): boolean => a.toPrecision(7) === b.toPrecision(7);

const requireCounts = (model: Model, who: string, ran: Pick<Ran, 'distinct' | 'generated'>) => {
  if (sameNumber(ran.distinct, model.distinct) && sameNumber(ran.generated, model.generated))
    return;
  throw new Error(
    `${who} counts ${ran.distinct} of ${ran.generated} states of ${model.what}, ` +
      `not ${model.distinct} of ${model.generated}.`,
  );
};

const times = async <T>(count: number, work: () => Promise<T>): Promise<readonly T[]> => {
  const all: T[] = [];
  for (let round = 0; round < count; round += 1) all.push(await work());
  return all;
};

const ours = async (model: Model): Promise<readonly Measured[]> => {
  const all = await times(model.rounds, () => explored(model.name, model.size));
  for (const each of all) requireCounts(model, 'The explorer', each);
  const seconds = median(all.map((each) => each.seconds));
  const { what, distinct, generated, asked } = model;
  return [
    {
      what: `explore, ${what}`,
      value: seconds,
      unit: 's',
      note: `of the processor; ${distinct} states of ${generated}${asked === undefined ? '' : `; ${asked} are asked for`}`,
    },
    { what: `explore, ${what}`, value: distinct / seconds, unit: 'states/s' },
    {
      what: `explore, ${what}`,
      value: Math.max(...all.map(({ peak }) => peak)) / MIB,
      unit: 'MiB',
      note: 'peak RSS of the process',
    },
  ];
};

const spins = async (model: Model, own: number): Promise<readonly Measured[]> => {
  const all = await withSpin({ ...model, define: `${model.define}=${model.size}` }, (search) =>
    times(model.rounds, search),
  );
  for (const each of all) requireCounts(model, 'SPIN', each);
  const seconds = median(all.map((each) => each.seconds));
  return [
    {
      what: `SPIN, ${model.what}`,
      value: seconds,
      unit: 's',
      note: 'of the processor; the same counts',
    },
    { what: `SPIN, ${model.what}`, value: model.distinct / seconds, unit: 'states/s' },
    { what: `SPIN, ${model.what}`, value: all[0]?.memory ?? 0, unit: 'MiB', note: 'as it says' },
    {
      what: `ratio to SPIN, ${model.what}`,
      value: own / seconds,
      unit: 'times as long',
    },
  ];
};

const besideSpin = async (models: readonly Model[]): Promise<readonly Measured[]> => {
  const missing = await missingForSpin();
  const rows: Measured[] = [];
  for (const model of models) {
    const own = await ours(model);
    rows.push(...own);
    if (missing === undefined) rows.push(...(await spins(model, own[0]?.value ?? Number.NaN)));
  }
  if (missing !== undefined) {
    rows.push({
      what: 'SPIN',
      value: 0,
      unit: 'runs',
      note: `left out: there is no ${missing} on this machine`,
    });
  }
  return rows;
};

/** An action set of the specification, and how deep. */
const SPECIFICATION = [
  ['native', 9],
  ['compat', 10],
] as const;

const specification = async (): Promise<readonly Measured[]> => {
  const rows: Measured[] = [];
  for (const [actionSet, depth] of SPECIFICATION) {
    const { seconds, distinct, generated, held, peak } = await explored(actionSet, depth);
    const what = `explore, the specification, ${actionSet}`;
    rows.push(
      {
        what,
        value: distinct / seconds,
        unit: 'states/s',
        note: `${distinct} states, every program of ${depth} calls; 100 000 are asked for`,
      },
      { what, value: generated / seconds, unit: 'calls/s', note: 'each with its laws' },
      {
        what,
        value: held / distinct,
        unit: 'bytes/state',
        note: 'held at the end, after garbage is collected; 1024 are asked for',
      },
      { what, value: peak / MIB, unit: 'MiB', note: 'peak RSS of the process' },
    );
  }
  return rows;
};

export const exploreSpeed = async (): Promise<readonly Measured[]> => [
  ...(await besideSpin(SMALL)),
  ...(await specification()),
];

export const exploreLarge = (): Promise<readonly Measured[]> => besideSpin(LARGE);
