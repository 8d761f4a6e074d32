// SPDX-License-Identifier: MIT
// Whether one more call can distinguish two states: by the enabled calls, the rule that decides,
// the bytes written except descriptors and object ids, and the keys of the next states.

import { ARENA_BASE } from '../../../model/programs/arena.ts';
import { LAYOUTS } from '../../../model/programs/program.ts';
import type { Action } from '../../../oracle/explore/actions.ts';
import {
  type NamedObject,
  objectsInOrder,
  positionOf,
} from '../../../oracle/explore/canonical-names.ts';
import type { State, WorldModel } from '../../../oracle/explore/world-model.ts';
import { u32At } from '../../../spec/abi/bytes.ts';
import type { Layout } from '../../../spec/abi/layout.ts';
import type { ObjectId } from '../../../spec/abi/units.ts';
import type { Outcome } from '../../../spec/outcome/outcome.ts';
import { fileAt, openFile } from '../../../spec/state/world.ts';
import type { Segment } from '../../../spec/terms/call.ts';

const layoutOf = (action: Action) => {
  const operation = action.operation(
    action.name,
    action.needs.map(() => 0n),
  );
  return operation.op === 'ioctl' && operation.argument.kind === 'struct'
    ? LAYOUTS.get(operation.argument.layout)
    : undefined;
};

/**
 * The bytes written, without descriptors, object ids and pins; a reported IOAS is replaced by its
 * position.
 */
const namesTakenOut = (
  { address, bytes }: Segment,
  layout: Layout | undefined,
  objects: readonly NamedObject[],
): unknown => {
  const plain = Uint8Array.from(bytes);
  const places: number[] = [];
  for (const { name, kind, offset, width } of layout?.fields ?? []) {
    const from = Number(ARENA_BASE - address) + offset;
    const isNumber = kind === 'id' || kind === 'fd' || name.includes('access_pages_id');
    if (!isNumber || from < 0 || from + width > plain.length) continue;
    if (name === 'ioas_id') places.push(positionOf(objects, u32At(bytes, from) as ObjectId));
    plain.fill(0, from, from + width);
  }
  return [address, Buffer.from(plain).toString('hex'), places];
};

/** What a reply shows to a program that numbers its handles itself. */
const shown = (model: WorldModel, state: State, action: Action): unknown => {
  const call = model.callOf(state, action);
  const outcomes: readonly Outcome[] = model.stepOf(state.world, call);
  const file = call.kind === 'ioctl' ? fileAt(state.world, call.process, call.fd) : undefined;
  const on = file === undefined ? undefined : openFile(state.world, file);
  const objects = on?.kind === 'iommufd' ? objectsInOrder(on.context, state.order) : [];
  const layout = layoutOf(action);
  return outcomes.map((outcome) => {
    if (outcome.kind === 'unspecified') return outcome.what;
    const { rule, errno, result, writes, choices } = outcome;
    const isDescriptor = choices?.list.some(({ location }) => location.in === 'result') === true;
    return {
      rule: rule.id,
      errno,
      result: isDescriptor ? 'a descriptor' : result,
      writes: writes.map((write) => namesTakenOut(write, layout, objects)),
    };
  });
};

const text = (value: unknown): string =>
  JSON.stringify(value, (_key, part) => (typeof part === 'bigint' ? `${part}` : part));

/** What distinguishes them, as a sentence; undefined if nothing does. */
export const distinguishable = (model: WorldModel, a: State, b: State): string | undefined => {
  const actions = model.enabled(a);
  const others = model.enabled(b);
  const names = (list: readonly Action[]): string => list.map(({ name }) => name).join();
  if (names(actions) !== names(others)) return 'other calls can be made';
  for (const action of actions) {
    const [one, other] = [text(shown(model, a, action)), text(shown(model, b, action))];
    if (one !== other) return `${action.name}: ${one} and ${other}`;
    const [after, otherAfter] = [model.step(a, action), model.step(b, action)];
    if (after === undefined || otherAfter === undefined) continue;
    const key = Buffer.from(model.canonical(after)).toString('hex');
    if (key !== Buffer.from(model.canonical(otherAfter)).toString('hex')) {
      return `${action.name} leads to states of different names`;
    }
  }
  return undefined;
};
