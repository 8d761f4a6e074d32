// The calls of a program as letters: what they name by the operation that gave it is named by its place in the world. So a
// program that somebody wrote can be looked for among all that are made of its calls and others.

import { ProgramBuilder, startOfProgram } from '../../model/programs/builder.ts';
import type { Operation, Program, ResultOf, Value } from '../../model/programs/program.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { type Letter, letter, type Thing } from './letters.ts';
import { NO_ORDER, orderAfter } from './order.ts';
import { type Things, thingsIn } from './things.ts';

const isResult = (value: unknown): value is ResultOf =>
  typeof value === 'object' && value !== null && 'from' in value && 'out' in value;

/** The operation, or a part of it, with other values in place of what earlier ones gave. */
const replaced = <Part>(part: Part, by: (value: ResultOf) => Value): Part => {
  if (isResult(part)) return by(part) as Part;
  if (Array.isArray(part)) return part.map((each) => replaced(each, by)) as Part;
  if (typeof part !== 'object' || part === null) return part;
  const entries = Object.entries(part).map(([name, each]) => [name, replaced(each, by)]);
  return Object.fromEntries(entries) as Part;
};

/** In what a number is one, as `Found` has it: by the field that gave it. */
const spaceOf = ({ out }: ResultOf): string => {
  if (out === 'result' || out.endsWith('_fd')) return 'descriptor';
  return out === 'out_access_pages_id' ? 'access' : 'iommufd';
};

/** Undefined where nothing was given: then the value is 0. */
const thingOf = (value: ResultOf, number: bigint, things: Things): Thing | undefined => {
  for (const [name, found] of things) {
    if (BigInt(found.number) === number && found.space.startsWith(spaceOf(value))) return name;
  }
  if (number === 0n) return undefined;
  throw new Error(`${value.out} of "${value.from}" is nothing that a letter can name.`);
};

/** "ioas" of "ioas 2"; the numbers of groups are their names. */
const kindOf = (name: Thing): string =>
  name.startsWith('group ') ? name : name.replace(/ \d+$/, '');

/** Each call once. None makes more things of a kind than the program has at any time. */
export const lettersOfProgram = (setting: Setting, program: Program): readonly Letter[] => {
  const builder = new ProgramBuilder(startOfProgram(setting));
  let order = NO_ORDER;
  let things = thingsIn(builder.world, order);
  /** The last thing of each kind. */
  const last = new Map<string, Thing>();
  const found = program.map((operation) => {
    const needs: Thing[] = [];
    const places = new Map<string, number>();
    replaced(operation, (value) => {
      const need = thingOf(value, builder.valueOf(value), things);
      if (need === undefined) return value;
      if (!needs.includes(need)) needs.push(need);
      places.set(`${value.from} ${value.out}`, needs.indexOf(need));
      return value;
    });
    const { world } = builder;
    builder.add(operation);
    order = orderAfter(order, world, builder.world);
    const after = thingsIn(builder.world, order);
    const given = [...after.keys()].filter((name) => !things.has(name));
    for (const name of given) {
      const known = last.get(kindOf(name));
      if (known === undefined || known < name) last.set(kindOf(name), name);
    }
    things = after;
    const make: Letter['operation'] = (label, values) => ({
      ...replaced(operation, ({ from, out }) => values[places.get(`${from} ${out}`) ?? -1] ?? 0n),
      label,
    });
    return { operation, needs, make, given };
  });
  return distinctLetters(
    found.map(({ operation, needs, make, given }) =>
      letter(
        operation.label,
        needs,
        make,
        given.map((name) => last.get(kindOf(name)) as Thing),
      ),
    ),
  );
};

/** What the letter's call is, whatever its name: a field that is 0 is one that is not given. */
const callOfLetter = ({ needs, operation }: Letter): string => {
  const made: Operation = operation(
    '',
    needs.map((_, at): Value => ({ from: `${at}`, out: '' })),
  );
  return JSON.stringify([needs, made], (_, value) => {
    if (value === 0n) return undefined;
    if (typeof value === 'bigint') return `${value}n`;
    const isPlain = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isPlain ? Object.fromEntries(Object.entries(value).sort()) : value;
  });
};

/** How many things of one kind it lets there be; any number where it has no bound. */
const room = ({ unless }: Letter): number =>
  Math.min(...unless.map((name) => Number(/\d+$/.exec(name)?.[0] ?? 0)));

const bindsLess = (a: Letter, b: Letter): boolean =>
  room(a) > room(b) || (room(a) === room(b) && a.unless.length < b.unless.length);

/** One letter of each call: the one that bounds least how many things are made. */
export const distinctLetters = (letters: readonly Letter[]): readonly Letter[] => {
  const byCall = new Map<string, Letter>();
  for (const each of letters) {
    const call = callOfLetter(each);
    const known = byCall.get(call);
    if (known === undefined || bindsLess(each, known)) byCall.set(call, each);
  }
  return [...byCall.values()];
};
