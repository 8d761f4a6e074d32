// SPDX-License-Identifier: MIT
// --cover with a file: the end of its name decides its form.

import type { Cover } from '../check/cover.ts';
import { coverHtml, coverSvg } from '../report/cover/cover-picture.ts';
import { jsonLine } from '../trace/json-line.ts';
import { BadUse } from './bad-use.ts';
import { writeResult } from './write-result.ts';

export const COVER_HELP =
  'how often each rule was reached, and why others were not: a table, or FILE.html, FILE.svg or FILE.json';

const FORMS: Readonly<Record<string, (cover: Cover) => string>> = {
  html: coverHtml,
  svg: coverSvg,
  json: (cover) => `${jsonLine(cover)}\n`,
};

const formOf = (file: string) => FORMS[file.slice(file.lastIndexOf('.') + 1)];

/** Throws before any program runs. */
export const checkCoverFile = (file: string): void => {
  if (formOf(file) === undefined) {
    throw new BadUse(`--cover ${file}: its name must end in .html, .svg or .json.`);
  }
};

export const saveCover = (file: string, cover: Cover): Promise<void> =>
  writeResult(file, formOf(file)?.(cover) ?? '', '--cover');
