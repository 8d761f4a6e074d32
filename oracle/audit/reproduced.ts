// SPDX-License-Identifier: MIT
// Reads and writes which kernels showed the C files of rows, one row per line.

import { Fields } from '../trace/fields.ts';
import { jsonLine } from '../trace/json-line.ts';
import { parseObject } from '../trace/json-object.ts';
import { releasesIn, requireFormat } from './record.ts';
import type { ShownOn } from './recorded.ts';

const FORMAT = 'iommufd-audit-rows';
const VERSION = 1;

export const reproducedText = (shown: ShownOn): string => {
  const rows = [...shown].sort(([one], [other]) => (one < other ? -1 : 1));
  const lines = [
    { format: FORMAT, version: VERSION },
    ...rows.map(([row, kernels]) => ({ row, kernels })),
  ];
  return `${lines.map(jsonLine).join('\n')}\n`;
};

/** `file` names the text in messages. Throws BadInput. */
export const reproducedOf = (file: string, text: string): ShownOn => {
  const shown = new Map<string, ReturnType<typeof releasesIn>>();
  for (const [index, line] of text.trimEnd().split('\n').entries()) {
    const fields = new Fields(file, index + 1, parseObject(file, index + 1, line));
    if (index === 0) {
      requireFormat(fields, FORMAT, VERSION);
      continue;
    }
    fields.only('row', 'kernels');
    shown.set(fields.text('row'), releasesIn(fields, 'kernels'));
  }
  return shown;
};
