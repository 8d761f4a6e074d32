// SPDX-License-Identifier: MIT
// The values of fields in files, as schemas, each with its range and a text that says what it must be.

import * as v from 'valibot';
import { bytesOfHex } from '../../spec/abi/bytes-text.ts';
import { type Fd, fileDescriptor, type UserAddress, userAddress } from '../../spec/abi/units.ts';
import { versionOf } from '../../spec/terms/releases.ts';
import { TEXT_MAX } from './limits.ts';
import { shown } from './shown.ts';
import { suggestion } from './suggestion.ts';

type Issue = v.BaseIssue<unknown>;

/** The first problem is enough. */
export const ABORT_EARLY = { abortEarly: true } as const;

/** The message for a field of another type. */
export const must =
  (what: string) =>
  ({ input }: Issue): string =>
    `must be ${what}, and is ${shown(input)}`;

/** A number that a JSON number holds exactly, both ends inclusive. */
export const whole = (least: number, most = Number.MAX_SAFE_INTEGER) => {
  const range = most === Number.MAX_SAFE_INTEGER ? `at least ${least}` : `${least} to ${most}`;
  const message = must(`a whole number, ${range}`);
  return v.pipe(
    v.number(message),
    v.safeInteger(message),
    v.minValue(least, message),
    v.maxValue(most, message),
  );
};

export const flag = v.boolean(must('true or false'));

export const textUpTo = (most: number) =>
  v.pipe(v.string(must('text')), v.maxLength(most, `must be text of at most ${most} characters`));

export const text = textUpTo(TEXT_MAX);

const isWord = (words: readonly string[], value: unknown): boolean =>
  typeof value === 'string' && words.includes(value);

/** One of these words. */
export const word = <const Words extends readonly string[]>(words: Words) =>
  v.picklist(words, ({ input }) => {
    const end = isWord(words, input) ? '' : suggestion(input, words);
    return `must be one of ${words.join(', ')}, and is ${shown(input)}${end}`;
  });

/** A version of a kernel from 6.2 on. */
export const release = v.pipe(
  v.string(must('text')),
  v.check(
    (name) => versionOf(name) !== undefined,
    must('a version of Linux from 6.2 on, such as 6.12.95 or 6.14.0-29-generic'),
  ),
);

export const exactly = <const Value extends string | number>(value: Value) =>
  v.literal(value, must(shown(value)));

const HEX = /^0x[0-9a-fA-F]{1,16}$/;
const SIGNED_HEX = /^-?0x[0-9a-fA-F]{1,16}$/;

const numberOf = (digits: string): bigint =>
  digits.startsWith('-') ? -BigInt(digits.slice(1)) : BigInt(digits);

const HEX_WORDS = must('a hexadecimal number of at most 64 bits');
const SIGNED_WORDS = must('a hexadecimal number of at most 64 bits, perhaps with a sign');

/** A u64 as text. */
export const u64 = v.pipe(v.string(HEX_WORDS), v.regex(HEX, HEX_WORDS), v.transform(numberOf));

/** The same with a sign. */
export const signed = v.pipe(
  v.string(SIGNED_WORDS),
  v.regex(SIGNED_HEX, SIGNED_WORDS),
  v.transform(numberOf),
);

export const U32_MAX = 0xffff_ffff;
const U32_WORDS = 'a hexadecimal number of at most 32 bits';

export const u32 = v.pipe(u64, v.maxValue(BigInt(U32_MAX), must(U32_WORDS)), v.transform(Number));

const PAGE_MASK = 0xfffn;

/** Whole pages, in bytes. */
export const pages = v.pipe(
  u64,
  v.check((value) => (value & PAGE_MASK) === 0n, must('whole pages of 4096 bytes')),
);

export const address: v.GenericSchema<unknown, UserAddress> = v.pipe(u64, v.transform(userAddress));

/** Where the arena may begin: a program can map the hole around it. */
export const ARENA_FIRST = 1n << 44n;
export const ARENA_LAST = (1n << 47n) - (1n << 44n);
const ARENA = must('an address between 2^44 and 2^47 - 2^44');

export const arena = v.pipe(pages, v.minValue(ARENA_FIRST, ARENA), v.maxValue(ARENA_LAST, ARENA));

const DIGITS = must('hexadecimal digits, two a byte');

/** Hexadecimal digits, two a byte, for at most so many bytes. */
export const digits = (most: number) =>
  v.pipe(
    v.string(DIGITS),
    v.check((value) => value.length % 2 === 0 && !/[^0-9a-fA-F]/.test(value), DIGITS),
    v.maxLength(most * 2, `must be at most ${most} bytes`),
  );

/** The bytes that such digits stand for. */
export const bytes = (most: number) =>
  v.pipe(
    digits(most),
    v.transform((value) => bytesOfHex(value) as Uint8Array),
  );

export const I32_MAX = 0x7fff_ffff;

const EXIT_MAX = 255;

/** As in a shell: 128 plus the signal that ended the program. */
export const exitStatus = whole(0, EXIT_MAX);

/** A descriptor that is open. */
export const openFd = whole(0, I32_MAX);

/** A descriptor that a program passes; may be invalid. */
export const passedFd: v.GenericSchema<unknown, Fd> = v.pipe(
  whole(-1 - I32_MAX, I32_MAX),
  v.transform(fileDescriptor),
);

/** What a system call returned. */
export const result = whole(-1, I32_MAX);
export const ERRNO_MAX = 4095;
export const errno = whole(0, ERRNO_MAX);

/** Whether a failed call has an error number, and others have none. */
export const isAnswer = (result: number, errno: number): boolean => result < 0 === errno > 0;

export const NO_ANSWER = 'must have a result of -1 with an error number, or another without one';

export const list = <const Item extends v.GenericSchema>(item: Item, most: number) =>
  v.pipe(v.array(item, must('a list')), v.maxLength(most, `must have at most ${most} elements`));

/** The problem of an object's own fields. */
const objectMessage =
  (names: readonly string[]) =>
  ({ input, expected, path }: Issue): string => {
    if (path === undefined) return must('an object')({ input } as Issue);
    if (expected === 'never') return `is no field of this format${suggestion(input, names)}`;
    return 'is missing';
  };

/** An object with these fields and no others. */
export const fields = <const Entries extends v.ObjectEntries>(entries: Entries) =>
  v.strictObject(entries, objectMessage(Object.keys(entries)));

/** An object with these fields; others mean nothing. */
export const openFields = <const Entries extends v.ObjectEntries>(entries: Entries) =>
  v.object(entries, objectMessage(Object.keys(entries)));

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A field of any object; undefined if it has no own field of that name. */
export const fieldOf = (value: unknown, name: string): unknown =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;

/** One of several kinds of objects, selected by the field `key`. */
export const kindOf = <const Kinds extends Readonly<Record<string, v.GenericSchema>>>(
  key: string,
  kinds: Kinds,
) => {
  const known = new Map<unknown, v.GenericSchema>(Object.entries(kinds));
  const none = openFields({ [key]: word(Object.keys(kinds)) });
  return v.lazy((input) => (known.get(fieldOf(input, key)) ?? none) as Kinds[keyof Kinds]);
};

/** The fields of an object that may have any of these names, or any name at all, in their order. */
export const entriesOf = <Value>(
  value: v.GenericSchema<unknown, Value>,
  names?: readonly string[],
): v.GenericSchema<unknown, readonly (readonly [string, Value])[]> =>
  v.pipe(
    v.custom<Readonly<Record<string, unknown>>>(isObject, must('an object')),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const found: (readonly [string, Value])[] = [];
      for (const [key, field] of Object.entries(dataset.value)) {
        const at = {
          type: 'object',
          origin: 'value',
          input: dataset.value,
          key,
          value: field,
        } as const;
        if (names?.includes(key) === false) {
          addIssue({ message: `is no field of this format${suggestion(key, names)}`, path: [at] });
          return NEVER;
        }
        const { success, output, issues } = v.safeParse(value, field, ABORT_EARLY);
        if (!success) {
          const [{ message, path = [] }] = issues;
          addIssue({ message, path: [at, ...path] });
          return NEVER;
        }
        found.push([key, output]);
      }
      return found;
    }),
  );
