// SPDX-License-Identifier: MIT
// Converts the calls of a program to actions: handles named by the operation that returned them are named by their position
// in the world. So the explorer can search for a given program among all programs of its calls and others.

import { ProgramBuilder, startOfProgram } from '../../model/programs/builder.ts';
import type { Operation, Program, ResultOf, Value } from '../../model/programs/program.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { type Action, action, type Handle } from './actions.ts';
import { type Handles, handlesIn } from './handles.ts';
import { NO_ORDER, orderAfter } from './order.ts';

const isResult = (value: unknown): value is ResultOf =>
  typeof value === 'object' && value !== null && 'from' in value && 'out' in value;

/** The operation, or a part of it, with the results of earlier operations replaced. */
const replaced = <Part>(part: Part, by: (value: ResultOf) => Value): Part => {
  if (isResult(part)) return by(part) as Part;
  if (Array.isArray(part)) return part.map((each) => replaced(each, by)) as Part;
  if (typeof part !== 'object' || part === null) return part;
  const entries = Object.entries(part).map(([name, each]) => [name, replaced(each, by)]);
  return Object.fromEntries(entries) as Part;
};

/** The space of a number, as in `HandleValue`, from the field that returned it. */
const spaceOf = ({ out }: ResultOf): string => {
  if (out === 'result' || out.endsWith('_fd')) return 'descriptor';
  return out === 'out_access_pages_id' ? 'access' : 'iommufd';
};

/** Undefined if no object was returned; the value is then 0. */
const handleOf = (value: ResultOf, number: bigint, handles: Handles): Handle | undefined => {
  for (const [name, found] of handles) {
    if (BigInt(found.number) === number && found.space.startsWith(spaceOf(value))) return name;
  }
  if (number === 0n) return undefined;
  throw new Error(`An action cannot name ${value.out} of "${value.from}".`);
};

/** "ioas" of "ioas 2"; the number of a group belongs to its kind. */
const kindOf = (name: Handle): string =>
  name.startsWith('group ') ? name : name.replace(/ \d+$/, '');

/** Each call once. No action makes more handles of a kind than the program ever has. */
export const actionsOfProgram = (setting: Setting, program: Program): readonly Action[] => {
  const builder = new ProgramBuilder(startOfProgram(setting));
  let order = NO_ORDER;
  let handles = handlesIn(builder.world, order);
  /** The last handle of each kind. */
  const last = new Map<string, Handle>();
  const found = program.map((operation) => {
    const needs: Handle[] = [];
    const positions = new Map<string, number>();
    replaced(operation, (value) => {
      const need = handleOf(value, builder.valueOf(value), handles);
      if (need === undefined) return value;
      if (!needs.includes(need)) needs.push(need);
      positions.set(`${value.from} ${value.out}`, needs.indexOf(need));
      return value;
    });
    const { world } = builder;
    builder.add(operation);
    order = orderAfter(order, world, builder.world);
    const after = handlesIn(builder.world, order);
    const added = [...after.keys()].filter((name) => !handles.has(name));
    for (const name of added) {
      const known = last.get(kindOf(name));
      if (known === undefined || known < name) last.set(kindOf(name), name);
    }
    handles = after;
    const make: Action['operation'] = (label, values) => ({
      ...replaced(
        operation,
        ({ from, out }) => values[positions.get(`${from} ${out}`) ?? -1] ?? 0n,
      ),
      label,
    });
    return { operation, needs, make, added };
  });
  return distinctActions(
    found.map(({ operation, needs, make, added }) =>
      action(
        operation.label,
        needs,
        make,
        added.map((name) => last.get(kindOf(name)) as Handle),
      ),
    ),
  );
};

/** Identifies the action's call, without its name: a field that is 0 is the same as an absent one. */
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

/** How many handles of a kind the action allows; infinite without a bound. */
const room = ({ unless }: Action): number =>
  Math.min(...unless.map((name) => Number(/\d+$/.exec(name)?.[0] ?? 0)));

const bindsLess = (a: Action, b: Action): boolean =>
  room(a) > room(b) || (room(a) === room(b) && a.unless.length < b.unless.length);

/** One action for each call: the one that allows the most handles. */
export const distinctActions = (actions: readonly Action[]): readonly Action[] => {
  const byCall = new Map<string, Action>();
  for (const each of actions) {
    const call = callOfAction(each);
    const known = byCall.get(call);
    if (known === undefined || bindsLess(each, known)) byCall.set(call, each);
  }
  return [...byCall.values()];
};
