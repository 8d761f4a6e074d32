// A native call with the fields that are given and where a struct should stand, for what themes begin with.

import { NATIVE_CALLS, type NativeCallName } from '../../../spec/abi/native.ts';
import { STRUCT_OFFSET } from '../arena.ts';
import type { Argument, Value } from '../program.ts';
import type { Scene } from './scene.ts';

export const addNativeCall = (
  scene: Scene,
  stem: string,
  fd: Value,
  name: NativeCallName,
  fields: Readonly<Record<string, Value>>,
  also?: Extract<Argument, { kind: 'struct' }>['also'],
): void => {
  const at = { arena: STRUCT_OFFSET };
  scene.add({
    op: 'ioctl',
    label: scene.draft.label(stem),
    fd,
    command: NATIVE_CALLS.find((call) => call.name === name)?.command ?? 0,
    argument: { kind: 'struct', at, layout: name, fields, ...(also === undefined ? {} : { also }) },
  });
};
