// SPDX-License-Identifier: MIT
// The only place where C text comes from: templates of this project's own source, whole numbers, checked names, and text
// from elsewhere as an escaped literal or an escaped comment. A plain string is no CText, and does not compile as one.

import { escapedCharacter } from '../text/visible.ts';

declare const isC: unique symbol;

/** ASCII. A literal is closed on its line, and a comment ends where this module ended it. */
export type CText = string & { readonly [isC]: true };

/** The one cast: every caller below has made sure of what the type says. */
const asC = (text: string): CText => text as CText;

const numberText = (value: number | bigint): string => {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new Error(`${value} is no whole number, and is not written into C.`);
  }
  return `${value}`;
};

/** A template of C. What is put into it is C already, or a whole number, which is written in decimal. */
export const c = (
  texts: TemplateStringsArray,
  ...parts: readonly (CText | number | bigint)[]
): CText =>
  asC(
    texts
      .map((text, index) => {
        const part = parts[index];
        return part === undefined
          ? text
          : text + (typeof part === 'string' ? part : numberText(part));
      })
      .join(''),
  );

/** The parts one after the other, with the separator between each two. */
export const cJoin = (parts: readonly CText[], separator: CText): CText =>
  asC(parts.join(separator));

/** The lines of the text, which has no literal that is longer than a line. */
export const cLines = (text: CText): readonly CText[] => text.split('\n').map(asC);

/** The same functions and variables as a header has them: none is missed where no file uses it. */
export const cInline = (text: CText): CText =>
  asC(text.replaceAll(/^static (?=[^;{]*$)/gm, 'static inline '));

const NAME = /^(?:struct )?[A-Za-z_][A-Za-z0-9_]*$/;

/** An identifier, or `struct` and a tag. Throws where it is something else. */
export const cName = (name: string): CText => {
  if (!NAME.test(name)) throw new Error(`"${name}" is no name in C.`);
  return asC(name);
};

/** "0x1f"; padded with zeros to `digits`. The value must not be negative. */
export const cHex = (value: number | bigint, digits = 1): CText => {
  if (value < 0) throw new Error(`${value} is negative, and has no hexadecimal literal in C.`);
  return asC(`0x${BigInt(numberText(value)).toString(16).padStart(digits, '0')}`);
};

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const QUESTION_MARK = 0x3f;
const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE = 0x7e;

/** A byte in a literal. Octal escapes have at most three digits, so that no digit behind one joins it. */
const byteText = (byte: number, before: number | undefined): string => {
  if (byte === QUOTE || byte === BACKSLASH) return `\\${String.fromCharCode(byte)}`;
  // Two in a row begin a trigraph.
  if (byte === QUESTION_MARK && before === QUESTION_MARK) return '\\?';
  if (byte >= FIRST_PRINTABLE && byte <= LAST_PRINTABLE) return String.fromCharCode(byte);
  return `\\${byte.toString(8).padStart(3, '0')}`;
};

/** A string literal with these bytes, a text's in UTF-8. */
export const cString = (text: string | Uint8Array): CText => {
  const bytes = Buffer.from(text);
  return asC(`"${[...bytes].map((byte, index) => byteText(byte, bytes[index - 1])).join('')}"`);
};

/** Sequences that end or begin a comment, begin a trigraph, or join the next line (a backslash at the end). */
const ACTIVE = /(?<=\*)\/|(?<=\/)\*|(?<=\?)\?|\\(?= *$)/g;

/** Text in a comment: printable ASCII, nothing of which is active. */
const commentText = (text: string): string =>
  text.replaceAll(/[^\x20-\x7e]/gu, escapedCharacter).replaceAll(ACTIVE, escapedCharacter);

/** A comment in a line. */
export const cComment = (text: string): CText => asC(`/* ${commentText(text)} */`);

/** A comment of lines, each behind a star. A line end in a line is escaped as all that is not printable. */
export const cCommentBlock = (lines: readonly string[]): CText =>
  asC(['/*', ...lines.map((line) => ` * ${commentText(line)}`.trimEnd()), ' */'].join('\n'));

/** What literals and comments become in `bareC`. */
const LITERAL_OR_COMMENT = /"(?:[^"\\\n]|\\.)*"|\/\*.*?\*\//gs;

/** The text with its string literals empty and without its comments: their content is no code. */
export const bareC = (text: CText): string =>
  text.replaceAll(LITERAL_OR_COMMENT, (found) => (found.startsWith('"') ? '""' : ' '));
