// SPDX-License-Identifier: MIT
// Splits a call as strace writes it into its name, its arguments and its result: name(argument, argument) = result.

/** A call, as far as the text has it. */
export type SplitCall = {
  readonly name: string;
  /** Without the spaces around them. */
  readonly arguments: readonly string[];
  /** What is behind ") = "; undefined where the text ends before. */
  readonly result: string | undefined;
};

/** No call has as many; what is behind them is not needed. */
const ARGUMENTS_MAX = 64;

const NAME = /^([a-z_][a-z0-9_]{0,63})\(/;

const OPENING = '([{';
const CLOSING = ')]}';

/** The index behind a string that begins at `at`. */
const behindString = (text: string, at: number): number => {
  for (let index = at + 1; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1;
    else if (text[index] === '"') return index + 1;
  }
  return text.length;
};

/** The index behind a path: 3</dev/iommu>, 3</dev/iommu<char 10:125>>, 5<UNIX-STREAM:[11->12]>. */
const behindPath = (text: string, at: number): number => {
  let depth = 0;
  for (let index = at; index < text.length; index += 1) {
    if (text[index] === '<') depth += 1;
    if (text[index] === '>' && text[index - 1] !== '-') depth -= 1;
    if (depth === 0) return index + 1;
  }
  return text.length;
};

/** Whether "<" begins the path of a descriptor, and is no shift. */
const beginsPath = (text: string, at: number): boolean =>
  /[\w]/.test(text[at - 1] ?? '') && /[^<\s=]/.test(text[at + 1] ?? '<');

/** The index behind what is one at `at`: a string, a comment, a path, or a character. */
const behindToken = (text: string, at: number): number => {
  const character = text[at];
  if (character === '"') return behindString(text, at);
  if (character === '/' && text[at + 1] === '*') {
    const end = text.indexOf('*/', at + 2);
    return end < 0 ? text.length : end + 2;
  }
  return character === '<' && beginsPath(text, at) ? behindPath(text, at) : at + 1;
};

/** The call in a text without prefix; undefined where it is none. */
export const splitCall = (text: string): SplitCall | undefined => {
  const name = NAME.exec(text)?.[1];
  if (name === undefined) return undefined;
  const found: string[] = [];
  let start = name.length + 1;
  let depth = 0;
  const take = (end: number): void => {
    const one = text.slice(start, end).trim();
    if (found.length < ARGUMENTS_MAX && (one !== '' || found.length > 0)) found.push(one);
    start = end + 1;
  };
  for (let at = start; at < text.length; at = behindToken(text, at)) {
    const character = text[at] as string;
    if (depth === 0 && character === ',') take(at);
    else if (depth === 0 && character === ')') {
      take(at);
      const result = /^\s*=\s?(.*)$/.exec(text.slice(at + 1))?.[1];
      return { name, arguments: found, result };
    } else if (OPENING.includes(character)) depth += 1;
    else if (CLOSING.includes(character)) depth = Math.max(0, depth - 1);
  }
  take(text.length);
  return { name, arguments: found, result: undefined };
};
