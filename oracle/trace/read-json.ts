// SPDX-License-Identifier: MIT
// Parses a line of JSON with a schema: its value, or one message that names the file, the line and the field.

import * as v from 'valibot';
import { BadInput } from './bad-input.ts';
import { parseObject } from './json-object.ts';
import { shown } from './shown.ts';
import { ABORT_EARLY } from './values.ts';

/** "operation.argument.also[0].at" */
const pathOf = (path: readonly { readonly key?: unknown }[]): string =>
  path.reduce(
    (before, { key }) =>
      typeof key === 'number' ? `${before}[${key}]` : before === '' ? `${key}` : `${before}.${key}`,
    '',
  );

/** The value parsed by the schema; `within` is its path in the line. Throws BadInput. */
export const checked = <const Schema extends v.GenericSchema>(
  schema: Schema,
  file: string,
  line: number,
  value: unknown,
  within = '',
): v.InferOutput<Schema> => {
  const { success, output, issues } = v.safeParse(schema, value, ABORT_EARLY);
  if (success) return output;
  const [{ path, message }] = issues;
  const where = `${within}${path === undefined ? '' : pathOf(path)}`;
  const what = where === '' ? 'this line' : shown(where);
  throw new BadInput(file, line, `${what} ${message}`);
};

/** The text, parsed by the schema. Throws BadInput. */
export const readJson = <const Schema extends v.GenericSchema>(
  schema: Schema,
  file: string,
  line: number,
  text: string,
): v.InferOutput<Schema> => checked(schema, file, line, parseObject(file, line, text));
