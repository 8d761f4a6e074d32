// SPDX-License-Identifier: MIT
// The file of an exploration: a JSON line with its options and position, the states in the explorer's encoding, and a
// checksum.

import { statSync } from 'node:fs';
import type { Position, Shard } from '../../model/explorer/explore.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { SHARDS_MAX } from '../check/shard.ts';
import { CheckedFile, withChecksum } from '../files/checksum.ts';
import { reasonOf } from '../files/reason.ts';
import { BadInput } from '../trace/bad-input.ts';
import { Fields } from '../trace/fields.ts';
import { jsonLine } from '../trace/json-line.ts';
import { parseObject } from '../trace/json-object.ts';
import { settingJson, settingOf } from '../trace/setting-json.ts';
import { traceLines } from '../trace/trace-file.ts';
import type { ActionSet } from './actions.ts';
import { type Earlier, type Explored, type ExploreReport, traceOfBroken } from './run-explore.ts';

const FORMAT = 'iommufd-exploration';
/** Version 3 had other rule ids, version 4 no checksum, version 5 another key for "actionSet". */
const VERSION = 6;
const LONGEST_HEADER = 1 << 20;
const LINE_END = 10;

export type SavedExploration = {
  readonly actionSet: ActionSet;
  readonly setting: Setting;
  /** Calls in a program, at most. */
  readonly depth: number;
  /** The part that was explored; absent: all. */
  readonly shard?: Shard;
  readonly ended: ExploreReport['ended'];
  /** The broken law, and the program as the lines of a trace. */
  readonly broken?: SavedBroken;
  readonly earlier: Earlier;
  readonly close: () => void;
};

export type SavedBroken = {
  readonly law: string;
  readonly how: string;
  readonly trace: readonly string[];
};

/** The states refer to actions by number, so they are valid only for this list. */
const actionsOf = ({ actions }: ActionSet): readonly string[] => actions.map(({ name }) => name);

const brokenOf = (report: ExploreReport): SavedBroken | undefined => {
  const trace = traceOfBroken(report);
  return (
    report.broken &&
    trace && { law: report.broken.law, how: report.broken.how, trace: [...traceLines(trace)] }
  );
};

function* joined(first: Uint8Array, others: Iterable<Uint8Array>): Generator<Uint8Array> {
  yield first;
  yield* others;
}

/** The file's bytes, for the state of the exploration when they are generated. */
export function* explorationBytes(
  actionSet: ActionSet,
  { report, at, bytes }: Explored,
): Generator<Uint8Array> {
  const header = {
    format: FORMAT,
    version: VERSION,
    ...settingJson(report.setting),
    actionSet: report.actionSet,
    actions: actionsOf(actionSet),
    depth: report.depth,
    shard: report.shard,
    ended: report.ended,
    broken: brokenOf(report),
    at,
    seconds: report.seconds,
    unspecified: report.unspecified,
    rules: [...report.rules],
  };
  yield* withChecksum(joined(Buffer.from(`${jsonLine(header)}\n`), bytes()));
}

const readHeader = (path: string, file: CheckedFile): { header: Fields; end: number } => {
  const bytes = new Uint8Array(LONGEST_HEADER);
  const length = file.read(bytes, 0);
  const end = bytes.subarray(0, length).indexOf(LINE_END);
  if (end === -1) throw new BadInput(path, 1, 'this is not a saved exploration');
  const text = Buffer.from(bytes.subarray(0, end)).toString();
  const header = new Fields(path, 1, parseObject(path, 1, text));
  if (header.raw('format') !== FORMAT) header.fail('this is not a saved exploration');
  if (header.raw('version') !== VERSION) {
    const version = String(header.raw('version'));
    header.fail(
      `version ${version} of explorations is not supported, only version ${VERSION}; explore again`,
    );
  }
  if (!file.isWhole()) {
    throw new BadInput(path, 0, 'the file is damaged or truncated: its checksum does not match');
  }
  return { header, end: end + 1 };
};

/** Bytes of a state, at least: its predecessor, the action, the length of its key, and the key. */
const STATE_MIN = 4 + 2 + 4 + 1;

/** `room` is the number of bytes of states. */
const positionOf = (header: Fields, room: number): Position => {
  const fields = header.object('at');
  const distinct = fields.integer('distinct');
  if (distinct < 1 || distinct * STATE_MIN > room) {
    fields.fail(`the file cannot have ${distinct} states`);
  }
  return {
    distinct,
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

const countIn = (header: Fields, name: string): number => {
  const count = header.integer(name);
  if (count < 0) header.fail(`"${name}" is ${count}`);
  return count;
};

const secondsOf = (header: Fields): number => {
  const seconds = header.raw('seconds');
  if (typeof seconds !== 'number' || !(seconds >= 0)) header.fail('"seconds" is not a time');
  return seconds;
};

const shardOf = (header: Fields): Pick<SavedExploration, 'shard'> => {
  if (header.raw('shard') === undefined) return {};
  const fields = header.object('shard');
  const [index, of] = [fields.integer('index'), fields.integer('of')];
  if (index < 0 || index >= of || of > SHARDS_MAX)
    fields.fail(`there is no part ${index} of ${of}`);
  return { shard: { index, of } };
};

const brokenIn = (header: Fields): Pick<SavedExploration, 'broken'> => {
  if (header.raw('broken') === undefined) return {};
  const fields = header.object('broken');
  return {
    broken: { law: fields.text('law'), how: fields.text('how'), trace: fields.texts('trace') },
  };
};

const actionSetOf = (header: Fields, actionSets: readonly ActionSet[]): ActionSet => {
  const name = header.text('actionSet');
  const actionSet = actionSets.find((candidate) => candidate.name === name);
  if (actionSet === undefined) header.fail(`there is no action set "${name}"`);
  const actions = header.texts('actions');
  if (actions.join('\n') !== actionsOf(actionSet).join('\n')) {
    header.fail(`the action set "${name}" had other actions when this was saved; explore again`);
  }
  return actionSet;
};

const isRegularFile = (path: string): boolean => {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

/** Whether a file begins as a saved exploration does; false if it cannot be read, or is not a regular file. */
export const isExploration = (path: string): boolean => {
  if (!isRegularFile(path)) return false;
  const start = Buffer.from(`{"format":"${FORMAT}"`);
  const bytes = Buffer.alloc(start.length);
  const file = opened(path);
  try {
    return file.read(bytes, 0) === bytes.length && bytes.equals(start);
  } finally {
    file.close();
  }
};

const opened = (path: string): CheckedFile => {
  try {
    return new CheckedFile(path);
  } catch (error) {
    throw new BadInput(path, 0, `the file cannot be read: ${reasonOf(error)}`);
  }
};

const savedIn = (
  path: string,
  file: CheckedFile,
  actionSets: readonly ActionSet[],
): SavedExploration => {
  const { header, end } = readHeader(path, file);
  let at = end;
  const read = (into: Uint8Array): void => {
    if (file.read(into, at) < into.length)
      throw new BadInput(path, 0, 'states are missing at its end');
    at += into.length;
  };
  return {
    actionSet: actionSetOf(header, actionSets),
    setting: settingOf(header),
    depth: countIn(header, 'depth'),
    ended: endedOf(header),
    ...shardOf(header),
    ...brokenIn(header),
    earlier: {
      saved: { at: positionOf(header, file.length - end), read },
      rules: new Set(header.texts('rules')),
      unspecified: countIn(header, 'unspecified'),
      seconds: secondsOf(header),
    },
    close: () => file.close(),
  };
};

/** The states are read when the exploration resumes; call `close` after that. Throws BadInput. */
export const openExploration = (
  path: string,
  actionSets: readonly ActionSet[],
): SavedExploration => {
  const file = opened(path);
  try {
    return savedIn(path, file, actionSets);
  } catch (error) {
    file.close();
    throw error;
  }
};
