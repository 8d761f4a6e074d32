// SPDX-License-Identifier: MIT
// The condition of one rule: the fact in the call and the world that decides it, and whether it holds. It reads the
// world itself, so that a reader can check it, and never uses the judge's results.

import type { RuleId } from '../../../spec/rules.ts';
import { objectAt } from '../../../spec/state/context.ts';
import type { IoPagetable } from '../../../spec/state/io-pagetable.ts';
import type { World } from '../../../spec/state/world.ts';
import type { IoctlCall } from '../../../spec/terms/call.ts';
import type { CallContext, Span } from '../../decode/call-context.ts';
import { whatIs } from '../../text/object-text.ts';
import { hex, length } from '../../text/quantities.ts';
import { flagsText } from '../../text/value-names.ts';

export type Facts = CallContext & {
  readonly world: World;
  readonly call: IoctlCall;
  /** The IOAS that the call uses, and the IOVAs that it names there. */
  readonly table: IoPagetable | undefined;
  readonly span: Span | undefined;
};

export type Evidence = {
  /** Whether the rule's condition holds; undefined if not known. */
  readonly holds: boolean | undefined;
  /** The fact, as a clause without a full stop. */
  readonly fact: string;
};

export type Condition = (facts: Facts) => Evidence | undefined;

export type Conditions = Readonly<Partial<Record<RuleId, Condition>>>;

/** The value that the program passed in a field. */
export const passed = (facts: Facts, field: string): bigint => BigInt(facts.values[field] ?? 0);

const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** A rule that is checked only under a condition; `otherwise` says why it is not checked. */
export const onlyIf =
  (applies: (facts: Facts) => boolean, otherwise: string, condition: Condition): Condition =>
  (facts) =>
    applies(facts) ? condition(facts) : { holds: false, fact: otherwise };

/** Either of two conditions; the facts of both. */
export const either =
  (first: Condition, second: Condition): Condition =>
  (facts) => {
    const a = first(facts);
    const b = second(facts);
    if (a === undefined || b === undefined) return a ?? b;
    return { holds: a.holds === true || b.holds, fact: `${a.fact}, ${b.fact}` };
  };

/** Only bits of `known` are set. */
export const flagsWithin =
  (field: string, known: number): Condition =>
  (facts) => {
    const flags = Number(passed(facts, field));
    const text = flagsText(facts.shape.name, field, flags);
    return {
      holds: (flags & ~known) !== 0,
      fact: flags === 0 ? `${field} is 0` : `${field} holds ${text}`,
    };
  };

/** The field is not 0. */
export const notZero =
  (field: string): Condition =>
  (facts) => {
    const value = passed(facts, field);
    return { holds: value !== 0n, fact: `${field} is ${value === 0n ? '0' : hex(value)}` };
  };

export const isZero =
  (field: string): Condition =>
  (facts) => {
    const value = passed(facts, field);
    return { holds: value === 0n, fact: `${field} is ${length(value)}` };
  };

/** One of the fields is U64_MAX. */
export const isGreatest =
  (...fields: readonly string[]): Condition =>
  (facts) => {
    const values = fields.map((field) => passed(facts, field));
    return {
      holds: values.some((value) => value === U64_MAX),
      fact: fields.map((field, index) => `${field} is ${hex(values[index] ?? 0n)}`).join(', '),
    };
  };

/** The field is less than the minimum. */
export const lessThan =
  (field: string, minimum: bigint): Condition =>
  (facts) => {
    const value = passed(facts, field);
    return { holds: value < minimum, fact: `${field} is ${value}, and ${minimum} is the least` };
  };

/** The last byte of `length` from `start` is past U64_MAX. */
export const wraps =
  (start: string, size: string): Condition =>
  (facts) => {
    const from = passed(facts, start);
    const bytes = passed(facts, size);
    const last = from + bytes - 1n;
    return bytes === 0n
      ? { holds: false, fact: `${size} is 0` }
      : { holds: last > U64_MAX, fact: `${start} + ${size} - 1 is ${hex(last)}` };
  };

/** The field names no object of these kinds. */
export const isNo =
  (field: string, ...kinds: readonly string[]): Condition =>
  (facts) => {
    if (facts.context === undefined) return undefined;
    const id = Number(passed(facts, field)) as Parameters<typeof objectAt>[1];
    const object = objectAt(facts.context, id);
    const holds = object === undefined || (kinds.length > 0 && !kinds.includes(object.kind));
    return { holds, fact: whatIs(facts.context, id) };
  };

/** The value is none of these. */
export const isNoneOf =
  (field: string, ...known: readonly bigint[]): Condition =>
  (facts) => {
    const value = passed(facts, field);
    return { holds: !known.includes(value), fact: `${field} is ${value}` };
  };
