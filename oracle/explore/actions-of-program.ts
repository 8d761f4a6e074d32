// SPDX-License-Identifier: MIT
// The calls of a program as actions: what they name by the operation that gave it is named by its place in the world. So a
// program that somebody wrote can be looked for among all that are made of its calls and others.

import { ProgramBuilder, startOfProgram } from '../../model/programs/builder.ts';
import type { Operation, Program, ResultOf, Value } from '../../model/programs/program.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { type Action, action, type Handle } from './actions.ts';
import { type Handles, handlesIn } from './handles.ts';
import { NO_ORDER, orderAfter } from './order.ts';

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
const handleOf = (value: ResultOf, number: bigint, handles: Handles): Handle | undefined => {
  for (const [name, found] of handles) {
    if (BigInt(found.number) === number && found.space.startsWith(spaceOf(value))) return name;
  }
  if (number === 0n) return undefined;
  throw new Error(`${value.out} of "${value.from}" is nothing that a action can name.`);
};

/** "ioas" of "ioas 2"; the numbers of groups are their names. */
const kindOf = (name: Handle): string =>
  name.startsWith('group ') ? name : name.replace(/ \d+$/, '');

/** Each call once. None makes more handles of a kind than the program has at any time. */
export const actionsOfProgram = (setting: Setting, program: Program): readonly Action[] => {
  const builder = new ProgramBuilder(startOfProgram(setting));
  let order = NO_ORDER;
  let handles = handlesIn(builder.world, order);
  /** The last handle of each kind. */
  const last = new Map<string, Handle>();
  const found = program.map((operation) => {
    const needs: Handle[] = [];
    const places = new Map<string, number>();
    replaced(operation, (value) => {
      const need = handleOf(value, builder.valueOf(value), handles);
      if (need === undefined) return value;
      if (!needs.includes(need)) needs.push(need);
      places.set(`${value.from} ${value.out}`, needs.indexOf(need));
      return value;
    });
    const { world } = builder;
    builder.add(operation);
    order = orderAfter(order, world, builder.world);
    const after = handlesIn(builder.world, order);
    const given = [...after.keys()].filter((name) => !handles.has(name));
    for (const name of given) {
      const known = last.get(kindOf(name));
      if (known === undefined || known < name) last.set(kindOf(name), name);
    }
    handles = after;
    const make: Action['operation'] = (label, values) => ({
      ...replaced(operation, ({ from, out }) => values[places.get(`${from} ${out}`) ?? -1] ?? 0n),
      label,
    });
    return { operation, needs, make, given };
  });
  return distinctActions(
    found.map(({ operation, needs, make, given }) =>
      action(
        operation.label,
        needs,
        make,
        given.map((name) => last.get(kindOf(name)) as Handle),
      ),
    ),
  );
};

/** What the action's call is, whatever its name: a field that is 0 is one that is not given. */
const callOfAction = ({ needs, operation }: Action): string => {
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

/** How many handles of one kind it lets there be; any number where it has no bound. */
const room = ({ unless }: Action): number =>
  Math.min(...unless.map((name) => Number(/\d+$/.exec(name)?.[0] ?? 0)));

const bindsLess = (a: Action, b: Action): boolean =>
  room(a) > room(b) || (room(a) === room(b) && a.unless.length < b.unless.length);

/** One action of each call: the one that bounds least how many handles are made. */
export const distinctActions = (actions: readonly Action[]): readonly Action[] => {
  const byCall = new Map<string, Action>();
  for (const each of actions) {
    const call = callOfAction(each);
    const known = byCall.get(call);
    if (known === undefined || bindsLess(each, known)) byCall.set(call, each);
  }
  return [...byCall.values()];
};
