// SPDX-License-Identifier: MIT
// How VFIO calls read their structs: first as many bytes as the call needs, then they check argsz.

import { u32At } from '../abi/bytes.ts';
import { failed, type Outcome } from '../outcome/outcome.ts';
import type { World } from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';
import type { Rule } from '../terms/rule.ts';
import { load } from './user-copy.ts';

/** The bytes of the struct, or the outcomes if it cannot be read or argsz is too small. */
export const loadVfioStruct = (
  world: World,
  call: IoctlCall,
  minimum: number,
  rules: { readonly structFault: Rule; readonly tooShort: Rule },
): { readonly bytes: Uint8Array } | { readonly outcomes: readonly Outcome[] } => {
  const loaded = load(world.memory, call, call.argument, minimum);
  if (loaded.kind === 'fault') return { outcomes: [failed(rules.structFault, world)] };
  const tooShort = failed(rules.tooShort, world);
  if (loaded.kind === 'unknown') {
    // A recording shows argsz bytes. If it shows fewer than the call needs, argsz is too small or the struct cannot be
    // read.
    const unknown = 'the recording does not show whether the whole struct can be read';
    return { outcomes: [tooShort, { ...failed(rules.structFault, world), unknown }] };
  }
  const { bytes } = loaded;
  const argsz = u32At(bytes, 0);
  return argsz < minimum ? { outcomes: [tooShort] } : { bytes };
};
