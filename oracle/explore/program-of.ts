// SPDX-License-Identifier: MIT
// The way to a state as an ordinary program: what a call names by number is named by the operation that gave it.

import { ARENA_BASE } from '../../model/programs/arena.ts';
import { LAYOUTS, type Operation, type Program, type Value } from '../../model/programs/program.ts';
import { u32At } from '../../spec/abi/bytes.ts';
import { fileAt, type World } from '../../spec/state/world.ts';
import type { Call } from '../../spec/terms/call.ts';
import type { Action } from './actions.ts';
import type { Handles, HandleValue } from './handles.ts';
import type { State, Step, WorldModel } from './world-model.ts';

/** What operations gave, by where it is a number, and the number. */
class Given {
  readonly #values = new Map<string, Value>();

  valueOf({ space, number }: HandleValue): Value {
    return this.#values.get(`${space} ${number}`) ?? BigInt(number);
  }

  #note(space: string, number: number, label: string, out: string): void {
    this.#values.set(`${space} ${number}`, { from: label, out });
  }

  /** Notes the fields that the kernel wrote: a struct's whole bytes are the last that it writes. */
  noteStruct(
    operation: Extract<Operation, { op: 'ioctl' }>,
    spaces: Readonly<Record<string, string | undefined>>,
    bytes: Uint8Array,
  ): void {
    const { argument } = operation;
    const layout = argument.kind === 'struct' ? LAYOUTS.get(argument.layout) : undefined;
    for (const { name, kind, offset, width } of layout?.fields ?? []) {
      const space = name.startsWith('out_access_pages') ? spaces.pin : spaces[kind];
      if (!name.startsWith('out_') || space === undefined || offset + width > bytes.length)
        continue;
      this.#note(space, u32At(bytes, offset), operation.label, name);
    }
  }

  noteDescriptor(number: number, label: string): void {
    this.#note('descriptor', number, label, 'result');
  }
}

const fileBehind = (world: World, call: Call, fd: number): number | undefined =>
  fileAt(world, call.process, fd as never);

const note = (given: Given, world: World, call: Call, operation: Operation, step: Step): void => {
  const [outcome] = step(world, call);
  if (outcome?.kind !== 'reply' || outcome.errno !== 0) return;
  if (operation.op === 'open' || operation.op === 'memfd') {
    given.noteDescriptor(outcome.result, operation.label);
  }
  if (operation.op !== 'ioctl' || call.kind !== 'ioctl') return;
  if (operation.argument.kind === 'bytes') given.noteDescriptor(outcome.result, operation.label);
  const bytes = outcome.writes.find(({ address }) => address === ARENA_BASE)?.bytes;
  if (bytes === undefined) return;
  const first = call.memory[0]?.bytes ?? new Uint8Array();
  // The access of a pin is named in the struct, where objects' ids are.
  const access = first.length >= 12 ? fileBehind(world, call, u32At(first, 8)) : undefined;
  given.noteStruct(
    operation,
    {
      id: `iommufd ${fileBehind(world, call, call.fd)}`,
      fd: 'descriptor',
      pin: access === undefined ? undefined : `access ${access}`,
    },
    bytes,
  );
};

const labelOf = (action: Action, position: number): string => {
  const [word = 'call'] = /[a-z]+/.exec(action.name.toLowerCase()) ?? [];
  return `${word}${position + 1}`;
};

/** `states` are those on the way, from the start on: one more than the actions. */
export const programOf = (
  model: WorldModel,
  actions: readonly Action[],
  states: readonly State[],
): Program => {
  const given = new Given();
  return actions.map((action, position) => {
    const state = states[position] as State;
    const handles: Handles = model.handlesOf(state);
    const values = action.needs.map((need) => given.valueOf(handles.get(need) as HandleValue));
    const operation = action.operation(labelOf(action, position), values);
    note(given, state.world, model.callOf(state, action), operation, model.stepOf);
    return operation;
  });
};
