// SPDX-License-Identifier: MIT
// The characters and words of one line of a syzkaller program, one after the other. Space is skipped behind each.

/** The line is not in the syntax. `column` counts characters from 1. */
export class SyzSyntaxError extends Error {
  override readonly name = 'SyzSyntaxError';
  readonly column: number;

  constructor(column: number, what: string) {
    super(what);
    this.column = column;
  }
}

const WORD = /[A-Za-z0-9_$]+/y;
const SPACE = /[ \t]*/y;

const U64_END = 1n << 64n;

/** Decimal, or with the prefix 0x, 0o, 0b or 0. */
const numberOf = (word: string): bigint | undefined => {
  if (/^(0x[0-9a-f]+|0b[01]+|0o[0-7]+|0|[1-9]\d*)$/i.test(word)) return BigInt(word.toLowerCase());
  return /^0[0-7]+$/.test(word) ? BigInt(`0o${word.slice(1)}`) : undefined;
};

export class LineReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#skipSpace();
  }

  /** Counts from 1. */
  get column(): number {
    return this.#at + 1;
  }

  /** The next character; '' behind the last. */
  get next(): string {
    return this.#text[this.#at] ?? '';
  }

  /** Takes the characters if they are next. */
  takes(characters: string): boolean {
    if (!this.#text.startsWith(characters, this.#at)) return false;
    this.#at += characters.length;
    this.#skipSpace();
    return true;
  }

  /** Throws SyzSyntaxError. */
  expect(characters: string): void {
    if (!this.takes(characters)) throw this.error(`"${characters}" is missing`);
  }

  /** Letters, digits, "_" and "$". Throws SyzSyntaxError. */
  word(what: string): string {
    const word = this.#match(WORD);
    if (word === '') throw this.error(`${what} is missing`);
    this.#skipSpace();
    return word;
  }

  /** A number of 64 bits. Throws SyzSyntaxError. */
  number(what: string): bigint {
    const { column } = this;
    const word = this.word(what);
    const value = numberOf(word);
    if (value === undefined) throw new SyzSyntaxError(column, `"${word}" is not a number`);
    if (value >= U64_END) throw new SyzSyntaxError(column, `${word} has more than 64 bits`);
    return value;
  }

  /** One character as it is, space too. Throws SyzSyntaxError behind the last. */
  character(): string {
    const character = this.next;
    if (character === '') throw this.error('the line ends within a string');
    this.#at += 1;
    return character;
  }

  /** Behind a string, whose characters are taken one by one. */
  endString(): void {
    this.#skipSpace();
  }

  error(what: string): SyzSyntaxError {
    return new SyzSyntaxError(this.column, what);
  }

  #skipSpace(): void {
    this.#match(SPACE);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }
}
