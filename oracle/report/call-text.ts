// SPDX-License-Identifier: MIT
// Calls as text: one line in a list, a block for the call of a violation.

import type { Change } from '../decode/changes.ts';
import type { DecodedCall, DecodedField } from '../decode/decode-call.ts';
import { columns, indented, wrapped } from '../text/lines.ts';
import type { Palette } from '../text/palette.ts';
import { CHANGES_IN_LINE, showsIdleFields, type Verbosity } from '../text/verbosity.ts';
import { visible } from '../text/visible.ts';
import type { AcceptedCall } from './violation.ts';

const shownFields = (
  fields: readonly DecodedField[],
  verbosity: Verbosity,
): readonly DecodedField[] =>
  showsIdleFields(verbosity) ? fields : fields.filter(({ idle }) => !idle);

/** "iova 0x0 -> 0x1000". */
export const changeText = ({ name, before, after }: Change): string =>
  `${name} ${before} -> ${after}`;

const writtenText = (changes: readonly Change[]): string => {
  const shown = changes.slice(0, CHANGES_IN_LINE).map(({ name, after }) => `${name} ${after}`);
  const rest = changes.length > shown.length ? ', ...' : '';
  return changes.length === 0 ? '' : `, wrote ${shown.join(', ')}${rest}`;
};

/** "IOMMU_IOAS_MAP(4; ioas_id 1, iova 0x1000) = 0, wrote iova 0x1000". */
export const callLine = (
  call: DecodedCall,
  result: string,
  changes: readonly Change[],
  palette: Palette,
): string => {
  const fields = shownFields(call.fields, 'brief')
    .filter(({ value }) => !value.startsWith('not passed'))
    .map(({ name, value }) => `${name} ${visible(value)}`)
    .join(', ');
  const descriptor = call.descriptor === undefined ? '' : `${call.descriptor}`;
  const inside = [descriptor, fields].filter((text) => text !== '').join('; ');
  return `${palette.name(call.name)}(${inside}) = ${result}${writtenText(changes)}`;
};

/** A call that was accepted before, with its rule on a second line. */
export const acceptedLines = (
  { line, label, call, result, changes, rule, notJudged }: AcceptedCall,
  palette: Palette,
): readonly string[] => {
  const place = line === undefined ? visible(label ?? '') : `line ${line}`;
  const why = rule === undefined ? `not judged: ${visible(notJudged ?? '')}` : rule;
  const first = place === '' ? '' : `${palette.faint(place)}  `;
  return [
    ...wrapped(callLine(call, result, changes, palette), first, '      '),
    `    ${palette.faint(why)}`,
  ];
};

/** The call with a line for each field. */
export const callBlock = (
  call: DecodedCall,
  on: string | undefined,
  verbosity: Verbosity,
  palette: Palette,
): readonly string[] => {
  const descriptor =
    call.descriptor === undefined
      ? ''
      : ` on descriptor ${call.descriptor}${on === undefined ? ', which is not open' : ` (${on})`}`;
  const number =
    call.command === undefined ? '' : `, ioctl ${call.command} with ${call.argument ?? ''}`;
  const fields = shownFields(call.fields, verbosity);
  return [
    `${palette.name(call.name)}${descriptor}`,
    palette.faint(`process ${call.process}${number}`),
    ...indented(columns(fields.map(({ name, value }) => [name, visible(value)])), '  '),
  ];
};
