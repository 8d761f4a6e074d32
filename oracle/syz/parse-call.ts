// SPDX-License-Identifier: MIT
// One line of a syzkaller program: a call with its result, its arguments and its properties, or a comment.

import { BadInput } from '../trace/bad-input.ts';
import { LineReader, SyzSyntaxError } from './line-reader.ts';
import { parseArgument } from './parse-argument.ts';
import type { SyzArgument, SyzCall, SyzProperties } from './tree.ts';

const NO_PROPERTIES: SyzProperties = { isAsync: false, failNth: 0, rerun: 0 };

/** Of a property that counts. */
const COUNT_MAX = 1_000_000n;

const countOf = (reader: LineReader, name: string): number => {
  reader.expect(':');
  const count = reader.number(`the number of ${name}`);
  if (count > COUNT_MAX) throw reader.error(`${name} is at most ${COUNT_MAX}`);
  return Number(count);
};

/** "(async, rerun: 3)", behind the bracket that opens it. */
const propertiesOf = (reader: LineReader): SyzProperties => {
  let properties = NO_PROPERTIES;
  while (!reader.takes(')')) {
    const name = reader.word('the name of a property');
    if (name === 'async') properties = { ...properties, isAsync: true };
    else if (name === 'fail_nth') properties = { ...properties, failNth: countOf(reader, name) };
    else if (name === 'rerun') properties = { ...properties, rerun: countOf(reader, name) };
    else throw reader.error(`calls have the properties async, fail_nth and rerun, not "${name}"`);
    if (reader.next !== ')') reader.expect(',');
  }
  return properties;
};

const callOf = (line: number, text: string): SyzCall | undefined => {
  const reader = new LineReader(text.replace(/[ \t\r]+$/, ''));
  if (reader.next === '' || reader.next === '#') return undefined;
  const first = reader.word('the name of a call');
  const hasResult = reader.takes('=');
  const name = hasResult ? reader.word('the name of a call') : first;
  reader.expect('(');
  const all: SyzArgument[] = [];
  while (!reader.takes(')')) {
    all.push(parseArgument(reader, 0));
    if (reader.next !== ')') reader.expect(',');
  }
  const properties = reader.takes('(') ? propertiesOf(reader) : NO_PROPERTIES;
  if (reader.next !== '' && reader.next !== '#') throw reader.error('something follows the call');
  return { line, result: hasResult ? first : undefined, name, arguments: all, properties };
};

/** The call on a line; undefined for a line that is empty or a comment. Throws BadInput. */
export const parseCall = (file: string, line: number, text: string): SyzCall | undefined => {
  try {
    return callOf(line, text);
  } catch (error) {
    if (!(error instanceof SyzSyntaxError)) throw error;
    throw new BadInput(
      file,
      line,
      `this is not a call of a syzkaller program: ${error.message}, at character ${error.column}`,
    );
  }
};
