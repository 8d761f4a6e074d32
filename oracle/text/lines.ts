// SPDX-License-Identifier: MIT
// Text as lines: wrapping, indenting and aligning. Widths count characters: the text is ASCII and colours.

const WIDTH = 100;

/** A palette's escape sequence: ESC [ number m. */
const COLOUR = new RegExp(`${String.fromCharCode(0x1b)}\\[\\d+m`, 'g');

const widthOf = (text: string): number => text.replace(COLOUR, '').length;

/** The text in lines of at most WIDTH characters; `first` is before the first line, `rest` before the others. */
export const wrapped = (text: string, first: string, rest: string = first): readonly string[] => {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && widthOf(line) + 1 + widthOf(word) > WIDTH) {
      lines.push(line);
      line = rest;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  lines.push(line);
  return lines;
};

export const indented = (lines: readonly string[], by: string): readonly string[] =>
  lines.map((line) => (line === '' ? line : `${by}${line}`));

/** Rows in columns, two spaces apart; the last column is not padded. Columns named in `right` are aligned right. */
export const columns = (
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): readonly string[] => {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    });
  }
  return rows.map((row) =>
    row
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        if (right.includes(index)) return cell.padStart(width);
        return index === row.length - 1 ? cell : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
};
