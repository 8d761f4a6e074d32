// SPDX-License-Identifier: MIT
// A native call with the given fields and a valid address of its struct, for scenarios and probes.

import { NATIVE_CALLS, type NativeCallName } from '../../spec/abi/native.ts';
import { STRUCT_OFFSET } from '../programs/arena.ts';
import type { Argument, Label, Value } from '../programs/program.ts';
import type { GenContext } from './gen-context.ts';

const calls = new Map(NATIVE_CALLS.map((call) => [call.name, call]));

/** Adds the call with a struct of full size. Returns its label. */
export const nativeCall = (
  gen: GenContext,
  stem: string,
  fd: Value,
  name: NativeCallName,
  fields: Readonly<Record<string, Value>>,
  also?: Extract<Argument, { kind: 'struct' }>['also'],
): Label => {
  const call = calls.get(name);
  if (call === undefined) throw new Error(`There is no native call ${name}.`);
  const label = gen.builder.label(stem);
  const struct = {
    kind: 'struct',
    at: { arena: STRUCT_OFFSET },
    layout: name,
    fields: { size: BigInt(call.layout.size), ...fields },
  } as const;
  const argument = also === undefined ? struct : { ...struct, also };
  gen.add({ op: 'ioctl', label, fd, command: call.command, argument });
  return label;
};
