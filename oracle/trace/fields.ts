// Strict reading of parsed JSON: every field has the type that the format gives it, and what has another, or is not
// part of the format, is an error that names the file, the line and the field.

import { bytesOfHex } from '../../spec/abi/bytes-text.ts';
import { BadInput } from './bad-input.ts';
import { DEPTH_MAX } from './limits.ts';

type Json = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A u64 as text. */
export const HEX = /^0x[0-9a-fA-F]{1,16}$/;
export const SIGNED_HEX = /^-?0x[0-9a-fA-F]{1,16}$/;

/** What text like SIGNED_HEX stands for. */
export const signedOf = (text: string): bigint =>
  text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);

const BYTES = /^(?:[0-9a-fA-F]{2})*$/;

const problemOf = (text: string): string => {
  if (text.trim() === '') return 'this line is empty';
  const isCut = text.startsWith('{') && !text.endsWith('}');
  return `this is not a line of JSON${isCut ? '; the file seems to be cut short' : ''}`;
};

const QUOTE = 0x22;
// With this bit, both kinds of brackets are the same two characters.
const EITHER_BRACKET = 0x20;
const OPENING = 0x7b;
const CLOSING = 0x7d;

/** Where the string that begins at `start` ends: the place of its second quote, or the text's end. */
const endOfString = (text: string, start: number): number => {
  let end = text.indexOf('"', start + 1);
  while (end > 0) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
};

/** Whether more objects and lists are within each other than any format has. */
const isTooDeep = (text: string): boolean => {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if ((code | EITHER_BRACKET) === OPENING) depth += 1;
    else if ((code | EITHER_BRACKET) === CLOSING) depth -= 1;
    if (depth > DEPTH_MAX) return true;
  }
  return false;
};

/** The text as a JSON object. A line that does not end as an object does was most likely cut. */
export const parseObject = (file: string, line: number, text: string): Json => {
  if (isTooDeep(text)) {
    throw new BadInput(
      file,
      line,
      `more than ${DEPTH_MAX} objects and lists are within each other`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadInput(file, line, problemOf(text));
  }
  if (!isObject(value)) throw new BadInput(file, line, 'this is not a JSON object');
  return value;
};

/** The fields of one JSON object. Names in messages are as in "operation.argument.at". */
export class Fields {
  readonly #file: string;
  readonly #line: number;
  readonly #path: string;
  readonly #value: Json;

  constructor(file: string, line: number, value: Json, path = '') {
    this.#file = file;
    this.#line = line;
    this.#value = value;
    this.#path = path;
  }

  fail(what: string): never {
    throw new BadInput(this.#file, this.#line, what);
  }

  #name(name: string): string {
    return `"${this.#path}${name}"`;
  }

  has(name: string): boolean {
    return this.#value[name] !== undefined;
  }

  raw(name: string): unknown {
    return this.#value[name];
  }

  names(): readonly string[] {
    return Object.keys(this.#value);
  }

  /** Fails where there is a field that is none of these. */
  only(...names: readonly string[]): void {
    for (const name of this.names()) {
      if (!names.includes(name)) this.fail(`${this.#name(name)} is no field of this format`);
    }
  }

  text(name: string): string {
    const value = this.#value[name];
    if (typeof value !== 'string') this.fail(`${this.#name(name)} is missing, or is no text`);
    return value;
  }

  /** One of the words. */
  word<const Word extends string>(name: string, words: readonly Word[]): Word {
    const value = words.find((word) => word === this.#value[name]);
    if (value === undefined) this.fail(`${this.#name(name)} is none of ${words.join(', ')}`);
    return value;
  }

  flag(name: string): boolean {
    const value = this.#value[name];
    if (typeof value !== 'boolean') this.fail(`${this.#name(name)} is neither true nor false`);
    return value;
  }

  integer(name: string): number {
    const value = this.#value[name];
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
      this.fail(`${this.#name(name)} is missing, or is no whole number`);
    }
    return value;
  }

  /** A number of at most 64 bits, written as 0x... */
  hex(name: string): bigint {
    const value = this.#value[name];
    if (typeof value !== 'string' || !HEX.test(value)) {
      this.fail(`${this.#name(name)} is no hexadecimal number of at most 64 bits`);
    }
    return BigInt(value);
  }

  /** The same with a sign. */
  signedHex(name: string): bigint {
    const value = this.#value[name];
    if (typeof value !== 'string' || !SIGNED_HEX.test(value)) {
      this.fail(`${this.#name(name)} is no hexadecimal number of at most 64 bits`);
    }
    return signedOf(value);
  }

  /** Hexadecimal digits, two a byte. */
  digits(name: string): string {
    const value = this.text(name);
    return BYTES.test(value) ? value : this.#failOfDigits(name);
  }

  #failOfDigits(name: string): never {
    this.fail(`${this.#name(name)} holds a wrong hexadecimal digit, or half a byte`);
  }

  bytes(name: string): Uint8Array {
    return bytesOfHex(this.text(name)) ?? this.#failOfDigits(name);
  }

  object(name: string): Fields {
    const value = this.#value[name];
    if (!isObject(value)) this.fail(`${this.#name(name)} is missing, or is no object`);
    return new Fields(this.#file, this.#line, value, `${this.#path}${name}.`);
  }

  list(name: string): readonly unknown[] {
    const value = this.#value[name];
    if (!Array.isArray(value)) this.fail(`${this.#name(name)} is missing, or is no list`);
    return value;
  }

  texts(name: string): readonly string[] {
    return this.list(name).map((value) => {
      if (typeof value !== 'string')
        this.fail(`${this.#name(name)} holds something that is no text`);
      return value;
    });
  }

  objects(name: string): readonly Fields[] {
    return this.list(name).map((value, index) => {
      if (!isObject(value)) this.fail(`${this.#name(`${name}[${index}]`)} is no object`);
      return new Fields(this.#file, this.#line, value, `${this.#path}${name}[${index}].`);
    });
  }
}
