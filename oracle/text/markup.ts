// SPDX-License-Identifier: MIT
// Text of files and of other programs in pages: HTML, SVG and Markdown. None of it is markup, whatever it holds.

import { escapedCharacter, visible } from './visible.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Control and format characters but for line ends, which this project's own lines have. */
const ACTIVE = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Text between tags, or in an attribute within quotes, of HTML and of SVG. */
export const htmlText = (text: string): string =>
  text.replace(ACTIVE, escapedCharacter).replace(/[&<>"']/g, (one) => ENTITIES[one] ?? one);

/** What means something in Markdown: a star anywhere, an underscore at the edge of a word, the start of a bare address. */
const MARKUP = /[\\`*[\]<>#|~&!]|(?<!\w)_|_(?!\w)|:(?=\/\/)|(?<=www)\.|^[-+=]|(?<=^\d+)[.)]/g;

/** Text in a line of Markdown, or in a cell of a table. */
export const markdownText = (text: string): string =>
  visible(text).replace(MARKUP, (one) => `\\${one}`);

/** A line of a fenced block: it cannot be its end. */
export const fencedLine = (line: string): string =>
  visible(line).replace(/^(?= *(?:```|~~~))/, ' '.repeat(4));
