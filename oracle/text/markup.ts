// SPDX-License-Identifier: MIT
// Escapes text for pages: HTML, SVG and Markdown.

import { escapedCharacter, visible } from './visible.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Control and format characters, except line ends. */
const ACTIVE = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Text between tags, or in a quoted attribute, of HTML and SVG. */
export const htmlText = (text: string): string =>
  text.replace(ACTIVE, escapedCharacter).replace(/[&<>"']/g, (one) => ENTITIES[one] ?? one);

/** Markdown's special characters: a star, an underscore at the edge of a word, the start of a bare address. */
const MARKUP = /[\\`*[\]<>#|~&!]|(?<!\w)_|_(?!\w)|:(?=\/\/)|(?<=www)\.|^[-+=]|(?<=^\d+)[.)]/g;

/** Text in a line of Markdown, or in a cell of a table. */
export const markdownText = (text: string): string =>
  visible(text).replace(MARKUP, (one) => `\\${one}`);

/** A line of a fenced block that cannot end it. */
export const fencedLine = (line: string): string =>
  visible(line).replace(/^(?= *(?:```|~~~))/, ' '.repeat(4));
