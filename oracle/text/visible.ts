// SPDX-License-Identifier: MIT
// Makes text from files and programs safe to print: control characters, and characters that are invisible or change the
// direction of text, become escapes. No terminal acts on the result.

/**
 * Control characters (C0, DEL, C1), format characters (bidi controls, zero width), separators of lines, half
 * surrogates.
 */
const ACTIVE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const HARMLESS = /^[\x20-\x7e]*$/;
const HARMLESS_LINES = /^[\t\n\x20-\x7e]*$/;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** "\x1b", "\u202e": the escape of a character. */
export const escapedCharacter = (character: string): string => {
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
};

/** A text in one line: line ends and tabs become escapes too. */
export const visible = (text: string): string =>
  HARMLESS.test(text)
    ? text
    : text.replace(ACTIVE, (character) => SHORT[character] ?? escapedCharacter(character));

/** Lines of a text, each visible. */
export const visibleLines = (text: string): readonly string[] =>
  text.split(/\r?\n/).map((line) => visible(line));

const ESCAPE = '\x1b';
/** Colours as palettes write them: one attribute, set or reset. */
const OWN_COLOUR = /^\[(?:[012]|22|3[1-6]|39)m/;

/**
 * Text for a terminal: line ends and tabs stay, and so do colours in coloured text. Escape text from elsewhere with
 * `visible` first: here it could still forge a line or a colour.
 */
export const printable = (text: string, isColoured: boolean): string => {
  if (HARMLESS_LINES.test(text)) return text;
  return text.replace(ACTIVE, (character, at: number) => {
    if (character === '\n' || character === '\t') return character;
    const isOwn = character === ESCAPE && OWN_COLOUR.test(text.slice(at + 1, at + 6));
    return isOwn && isColoured ? character : escapedCharacter(character);
  });
};
