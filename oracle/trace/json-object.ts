// SPDX-License-Identifier: MIT
// A line of a file as a JSON object. A line nested deeper than any format is refused before it is parsed.

import { BadInput } from './bad-input.ts';
import { DEPTH_MAX } from './limits.ts';
import { isObject } from './values.ts';

const problemOf = (text: string): string => {
  if (text.trim() === '') return 'this line is empty';
  const isCut = text.startsWith('{') && !text.endsWith('}');
  return `this is not a line of JSON${isCut ? '; the file seems to be cut short' : ''}`;
};

const QUOTE = 0x22;
// With this bit, both kinds of brackets are the same two characters.
const EITHER_BRACKET = 0x20;
const OPENING = 0x7b;
const CLOSING = 0x7d;

/** The index of the closing quote of the string at `start`, or the text's length. */
const endOfString = (text: string, start: number): number => {
  let end = text.indexOf('"', start + 1);
  while (end > 0) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
};

/** Whether objects and lists are nested deeper than in any format. */
const isTooDeep = (text: string): boolean => {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if ((code | EITHER_BRACKET) === OPENING) depth += 1;
    else if ((code | EITHER_BRACKET) === CLOSING) depth -= 1;
    if (depth > DEPTH_MAX) return true;
  }
  return false;
};

/** The text as a JSON object. A line without the closing brace is most likely cut. */
export const parseObject = (
  file: string,
  line: number,
  text: string,
): Readonly<Record<string, unknown>> => {
  if (isTooDeep(text)) {
    throw new BadInput(file, line, `more than ${DEPTH_MAX} objects and lists are nested`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadInput(file, line, problemOf(text));
  }
  if (!isObject(value)) throw new BadInput(file, line, 'this is not a JSON object');
  return value;
};
