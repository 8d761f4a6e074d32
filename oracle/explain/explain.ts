// SPDX-License-Identifier: MIT
// Explains lines: each reply once, with its causes.

import type { ErrnoName } from '../../spec/abi/errno.ts';
import type { ReleaseName } from '../../spec/terms/releases.ts';
import type { CallName } from './calls.ts';
import type { CauseId } from './cause-id.ts';
import type { Clue, Hint } from './clue.ts';
import { type Ranking, rank, withElsewhere } from './rank.ts';
import { isUnderstood, readLine } from './read-line.ts';

/** One failure, of which several lines may speak. */
export type Explanation = {
  /** The first line with most to say, with what the other lines add. */
  readonly clue: Clue;
  /** Numbers of the lines, ascending. */
  readonly lines: readonly number[];
  readonly ranking: Ranking;
};

export type Explained = {
  readonly explanations: readonly Explanation[];
  /** Lines that have only a part of a reply, or one that nothing explains. */
  readonly partly: readonly Clue[];
  /** How many lines there were, without empty ones. */
  readonly count: number;
};

type Reply = { readonly calls: readonly CallName[]; readonly errno: ErrnoName | undefined };

/** A line without the error belongs to a reply of the call, whatever its error is. */
const sharesCall = (a: Reply, b: Reply): boolean =>
  (a.errno === undefined || a.errno === b.errno) && a.calls.some((call) => b.calls.includes(call));

const isPartly = ({ calls, errno, hints }: Clue): boolean =>
  calls.length > 0 || errno !== undefined || hints.size > 0;

const fieldCount = ({ fields }: Clue): number => Object.keys(fields).length;

/** What all lines say together: a log is about one program on one machine. */
const pooled = (clues: readonly Clue[]): { hints: Set<Hint>; causes: Set<CauseId> } => ({
  hints: new Set(clues.flatMap(({ hints }) => [...hints])),
  causes: new Set(clues.flatMap(({ causes }) => [...causes])),
});

/** The causes that other lines state are the line's own if its reply can have them. */
const withOthers = (
  clue: Clue,
  all: ReturnType<typeof pooled>,
  releases: readonly ReleaseName[],
): Clue => {
  const hints = new Set([...clue.hints, ...all.hints]);
  const possible = new Set(rank({ ...clue, hints }, releases).causes.map(({ id }) => id));
  return {
    ...clue,
    hints,
    causes: new Set([...clue.causes, ...[...all.causes].filter((id) => possible.has(id))]),
  };
};

type Group = { clues: Clue[]; ranking: Ranking };

const topOf = ({ causes }: Ranking): CauseId | undefined => causes[0]?.id;

/** Whether the line adds nothing but a part of what the group says. */
const belongs = (clue: Clue, top: CauseId | undefined, { clues, ranking }: Group): boolean => {
  const [first] = clues as [Clue];
  if (clue.errno === undefined && clue.causes.size > 0) {
    return [...clue.causes].some((id) => ranking.causes.some((cause) => cause.id === id));
  }
  const isSame =
    clue.calls.length === 0 || first.calls.length === 0
      ? clue.errno === first.errno
      : sharesCall(
          { calls: clue.calls, errno: clue.errno },
          { calls: first.calls, errno: first.errno },
        );
  const hasNoRange = clue.fields.iova === undefined || first.fields.iova === undefined;
  return isSame && (hasNoRange || top === topOf(ranking));
};

const merged = (group: Group, releases: readonly ReleaseName[]): Explanation => {
  const { clues } = group;
  const main = clues.reduce((best, clue) => (fieldCount(clue) > fieldCount(best) ? clue : best));
  // A line that leaves fewer calls possible decides for those that leave more.
  const narrow = clues
    .filter(({ calls }) => calls.length > 0)
    .reduce((best, clue) => (clue.calls.length < best.calls.length ? clue : best), main);
  const program = main.program ?? clues.find((clue) => clue.program !== undefined)?.program;
  const errno = main.errno ?? narrow.errno;
  const clue: Clue = {
    ...main,
    calls: narrow.calls.length > 0 ? narrow.calls : main.calls,
    causes: new Set(clues.flatMap(({ causes }) => [...causes])),
    ...(program === undefined ? {} : { program }),
    ...(errno === undefined ? {} : { errno }),
  };
  return {
    clue,
    lines: clues.map(({ line }) => line).sort((a, b) => a - b),
    ranking: withElsewhere(rank(clue, releases), clue, releases),
  };
};

/** Replies before causes without one, so that these find what they belong to. */
const repliesFirst = (clues: readonly Clue[]): readonly Clue[] => {
  const isReply = ({ errno, calls }: Clue): boolean => errno !== undefined && calls.length > 0;
  return [...clues.filter(isReply), ...clues.filter((clue) => !isReply(clue))];
};

/** Explains the lines by the rules of the releases. */
export const explain = (lines: readonly string[], releases: readonly ReleaseName[]): Explained => {
  const clues = lines.flatMap((text, index) =>
    text.trim() === '' ? [] : [readLine(text, index + 1)],
  );
  const understood = clues.filter(isUnderstood);
  const said = pooled(clues);
  const groups: Group[] = [];
  for (const own of repliesFirst(understood)) {
    const clue = withOthers(own, said, releases);
    const ranking = rank(clue, releases);
    const group = groups.find((one) => belongs(clue, topOf(ranking), one));
    if (group === undefined) groups.push({ clues: [clue], ranking });
    else group.clues.push(clue);
  }
  const all = groups
    .map((group) => merged(group, releases))
    .sort((a, b) => (a.lines[0] ?? 0) - (b.lines[0] ?? 0));
  const isExplained = ({ ranking: { causes, rare } }: Explanation): boolean =>
    causes.length + rare.length > 0;
  return {
    explanations: all.filter(isExplained),
    partly: [
      ...all.filter((one) => !isExplained(one)).map(({ clue }) => clue),
      ...clues.filter((clue) => !isUnderstood(clue) && isPartly(clue)),
    ],
    count: clues.length,
  };
};
