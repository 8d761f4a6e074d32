// SPDX-License-Identifier: MIT
// The actions that lead to a state, as a program: handles are named by the operations that returned them, not by number.

import { ARENA_BASE } from '../../model/programs/arena.ts';
import { LAYOUTS, type Operation, type Program, type Value } from '../../model/programs/program.ts';
import { u32At } from '../../spec/abi/bytes.ts';
import { fileAt, type World } from '../../spec/state/world.ts';
import type { Call } from '../../spec/terms/call.ts';
import type { Action } from './actions.ts';
import type { Handles, HandleValue } from './handles.ts';
import type { State, Step, WorldModel } from './world-model.ts';

/** The results of operations, by their space and number. */
class Results {
  readonly #values = new Map<string, Value>();

  valueOf({ space, number }: HandleValue): Value {
    return this.#values.get(`${space} ${number}`) ?? BigInt(number);
  }

  #note(space: string, number: number, label: string, out: string): void {
    this.#values.set(`${space} ${number}`, { from: label, out });
  }

  /** Notes the fields that the kernel wrote. */
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

const fileOf = (world: World, call: Call, fd: number): number | undefined =>
  fileAt(world, call.process, fd as never);

const note = (
  results: Results,
  world: World,
  call: Call,
  operation: Operation,
  step: Step,
): void => {
  const [outcome] = step(world, call);
  if (outcome?.kind !== 'reply' || outcome.errno !== 0) return;
  if (operation.op === 'open' || operation.op === 'memfd') {
    results.noteDescriptor(outcome.result, operation.label);
  }
  if (operation.op !== 'ioctl' || call.kind !== 'ioctl') return;
  if (operation.argument.kind === 'bytes') results.noteDescriptor(outcome.result, operation.label);
  const bytes = outcome.writes.find(({ address }) => address === ARENA_BASE)?.bytes;
  if (bytes === undefined) return;
  const first = call.memory[0]?.bytes ?? new Uint8Array();
  // In a pin's struct, the access is at the offset of object ids.
  const access = first.length >= 12 ? fileOf(world, call, u32At(first, 8)) : undefined;
  results.noteStruct(
    operation,
    {
      id: `iommufd ${fileOf(world, call, call.fd)}`,
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

/** `states` are those before, between and after the actions: one more than the actions. */
export const programOf = (
  model: WorldModel,
  actions: readonly Action[],
  states: readonly State[],
): Program => {
  const results = new Results();
  return actions.map((action, position) => {
    const state = states[position] as State;
    const handles: Handles = model.handlesOf(state);
    const values = action.needs.map((need) => results.valueOf(handles.get(need) as HandleValue));
    const operation = action.operation(labelOf(action, position), values);
    note(results, state.world, model.callOf(state, action), operation, model.stepOf);
    return operation;
  });
};
