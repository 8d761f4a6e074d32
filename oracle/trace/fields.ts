// SPDX-License-Identifier: MIT
// Strict reading of parsed JSON: every field has the type that the format gives it, and what has another, or is not
// part of the format, is an error that names the file, the line and the field.

import type { GenericSchema, InferOutput } from 'valibot';
import { bytesOfHex } from '../../spec/abi/bytes-text.ts';
import { BadInput } from './bad-input.ts';
import { checked } from './read-json.ts';

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

  /** What the schema makes of the object. */
  checked<const Schema extends GenericSchema>(schema: Schema): InferOutput<Schema> {
    return checked(schema, this.#file, this.#line, this.#value, this.#path);
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
