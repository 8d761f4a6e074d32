// SPDX-License-Identifier: MIT
// How the VFIO calls of an iommufd read their structs: as many bytes as the call needs, then argsz is checkat.

import { u32At } from '../abi/bytes.ts';
import { failed, type Outcome } from '../outcome/outcome.ts';
import type { World } from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';
import type { Rule } from '../terms/rule.ts';
import { load } from './user-copy.ts';

/** The struct's bytes, or the answer where it cannot be read or says that it is too short. */
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
    // A recording shows as many bytes as argsz says: it is too short, if it can be read so far.
    const unknown = 'the recording does not show whether the whole struct can be read';
    return { outcomes: [tooShort, { ...failed(rules.structFault, world), unknown }] };
  }
  const { bytes } = loaded;
  const argsz = u32At(bytes, 0);
  return argsz < minimum ? { outcomes: [tooShort] } : { bytes };
};
