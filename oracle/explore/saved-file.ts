// An exploration in a file: a line of JSON that says of what and how far, and behind it the states as the explorer gives
// them. A file is replaced when the new one is whole.

import { closeSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import type { Shard, Standing } from '../../model/explorer/explore.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { BadInput } from '../trace/bad-input.ts';
import { Fields, parseObject } from '../trace/fields.ts';
import { jsonLine } from '../trace/json-line.ts';
import { settingJson, settingOf } from '../trace/setting-json.ts';
import { traceLines } from '../trace/trace-file.ts';
import type { Alphabet } from './letters.ts';
import { type Earlier, type Explored, type ExploreReport, traceOfBroken } from './run-explore.ts';

const FORMAT = 'iommufd-exploration';
/** Of version 3 the rules had other ids. */
const VERSION = 4;
const LONGEST_HEADER = 1 << 20;
const LINE_END = 10;

export type SavedExploration = {
  readonly alphabet: Alphabet;
  readonly setting: Setting;
  /** How many calls a program was to have at most. */
  readonly depth: number;
  /** The part that was looked at, where it is not all. */
  readonly shard?: Shard;
  readonly ended: ExploreReport['ended'];
  /** The law that is broken, and the program as a trace, a line each. */
  readonly broken?: SavedBroken;
  readonly earlier: Earlier;
  readonly close: () => void;
};

export type SavedBroken = {
  readonly law: string;
  readonly how: string;
  readonly trace: readonly string[];
};

/** What the states depend on: with another list of letters the same numbers mean other calls. */
const lettersOf = ({ letters }: Alphabet): readonly string[] => letters.map(({ name }) => name);

const brokenOf = (report: ExploreReport): SavedBroken | undefined => {
  const trace = traceOfBroken(report);
  return (
    report.broken &&
    trace && { law: report.broken.law, how: report.broken.how, trace: [...traceLines(trace)] }
  );
};

export const saveExploration = (
  path: string,
  alphabet: Alphabet,
  { report, standing, bytes }: Explored,
): void => {
  const partial = `${path}.part`;
  const file = openSync(partial, 'w');
  try {
    const header = {
      format: FORMAT,
      version: VERSION,
      ...settingJson(report.setting),
      alphabet: report.alphabet,
      letters: lettersOf(alphabet),
      depth: report.depth,
      shard: report.shard,
      ended: report.ended,
      broken: brokenOf(report),
      standing,
      seconds: report.seconds,
      unspecified: report.unspecified,
      rules: [...report.rules],
    };
    writeSync(file, `${jsonLine(header)}\n`);
    for (const piece of bytes()) writeSync(file, piece);
  } finally {
    closeSync(file);
  }
  renameSync(partial, path);
};

const readHeader = (path: string, file: number): { header: Fields; end: number } => {
  const bytes = new Uint8Array(LONGEST_HEADER);
  const length = readSync(file, bytes, 0, LONGEST_HEADER, 0);
  const end = bytes.subarray(0, length).indexOf(LINE_END);
  if (end === -1) throw new BadInput(path, 1, 'this is no saved exploration');
  const text = Buffer.from(bytes.subarray(0, end)).toString();
  const header = new Fields(path, 1, parseObject(path, 1, text));
  if (header.raw('format') !== FORMAT) header.fail('this is no saved exploration');
  if (header.raw('version') !== VERSION) {
    const version = String(header.raw('version'));
    header.fail(
      `version ${version} of explorations is not read, only version ${VERSION}; explore anew`,
    );
  }
  return { header, end: end + 1 };
};

const standingOf = (header: Fields): Standing => {
  const fields = header.object('standing');
  return {
    distinct: fields.integer('distinct'),
    generated: fields.integer('generated'),
    depth: fields.integer('depth'),
    position: fields.integer('position'),
    levelEnd: fields.integer('levelEnd'),
    common: fields.integer('common'),
  };
};

const ENDS: ReadonlySet<unknown> = new Set<ExploreReport['ended']>([
  'whole',
  'depth',
  'states',
  'broken',
  'time',
  'interrupted',
]);

const endedOf = (header: Fields): ExploreReport['ended'] => {
  const ended = header.raw('ended');
  if (!ENDS.has(ended)) header.fail(`"ended" is ${String(ended)}`);
  return ended as ExploreReport['ended'];
};

const shardOf = (header: Fields): Pick<SavedExploration, 'shard'> => {
  if (header.raw('shard') === undefined) return {};
  const fields = header.object('shard');
  return { shard: { index: fields.integer('index'), of: fields.integer('of') } };
};

const brokenIn = (header: Fields): Pick<SavedExploration, 'broken'> => {
  if (header.raw('broken') === undefined) return {};
  const fields = header.object('broken');
  return {
    broken: { law: fields.text('law'), how: fields.text('how'), trace: fields.texts('trace') },
  };
};

const alphabetOf = (header: Fields, alphabets: readonly Alphabet[]): Alphabet => {
  const name = header.text('alphabet');
  const alphabet = alphabets.find((candidate) => candidate.name === name);
  if (alphabet === undefined) header.fail(`there is no alphabet "${name}"`);
  const letters = header.texts('letters');
  if (letters.join('\n') !== lettersOf(alphabet).join('\n')) {
    header.fail(`the alphabet "${name}" had other letters when this was saved; begin anew`);
  }
  return alphabet;
};

/** Whether a file begins as a saved exploration does; false where it cannot be read. */
export const isExploration = (path: string): boolean => {
  const start = Buffer.from(`{"format":"${FORMAT}"`);
  const bytes = Buffer.alloc(start.length);
  try {
    const file = openSync(path, 'r');
    try {
      return readSync(file, bytes, 0, bytes.length, 0) === bytes.length && bytes.equals(start);
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
};

/** The states are read when the exploration goes on; then `close`. Throws BadInput. */
export const openExploration = (path: string, alphabets: readonly Alphabet[]): SavedExploration => {
  const file = openSync(path, 'r');
  const { header, end } = readHeader(path, file);
  let at = end;
  const read = (into: Uint8Array): void => {
    for (let done = 0; done < into.length; ) {
      const count = readSync(file, into, done, into.length - done, at);
      if (count === 0) throw new BadInput(path, 0, 'the file is cut short');
      done += count;
      at += count;
    }
  };
  return {
    alphabet: alphabetOf(header, alphabets),
    setting: settingOf(header),
    depth: header.integer('depth'),
    ended: endedOf(header),
    ...shardOf(header),
    ...brokenIn(header),
    earlier: {
      saved: { standing: standingOf(header), read },
      rules: new Set(header.texts('rules')),
      unspecified: header.integer('unspecified'),
      seconds: Number(header.raw('seconds')),
    },
    close: () => closeSync(file),
  };
};
