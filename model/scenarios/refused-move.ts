// SPDX-License-Identifier: MIT
// Generates states of accesses that take many calls: one of several accesses cannot move to another
// IOAS, because the areas there are not aligned for it.

import type { GenContext } from '../generate/gen-context.ts';
import { nativeCall } from '../generate/native-call.ts';
import { testCall } from '../generate/test-call.ts';
import { DATA_OFFSET } from '../programs/arena.ts';
import { allocate, open, use } from './first-calls.ts';

const FIXED = 7n;
const IOVA = 0x100_0000n;

/** Several accesses of one IOAS, one of which fails to move to another, and is mostly destroyed. */
export const beginRefusedMove = (gen: GenContext): void => {
  const { rng, builder } = gen;
  const fd = open(gen);
  const from = allocate(gen, fd);
  const to = allocate(gen, fd);
  nativeCall(gen, 'map', fd, 'IOMMU_IOAS_MAP', {
    flags: FIXED,
    ioas_id: to,
    user_va: { arena: DATA_OFFSET },
    length: rng.of([1n, 2048n]),
    iova: IOVA,
  });
  const users = Array.from({ length: rng.number(2, 3) }, () => use(gen, fd, from));
  const moved = rng.of(users);
  const move = { id: moved, ioas_id: to };
  gen.add(testCall(builder.label('move'), fd, 'ACCESS_REPLACE_IOAS', move));
  if (rng.chance(2, 3)) gen.add({ op: 'close', label: builder.label('close'), fd: moved });
};
