// What takes many calls to come to with in-kernel users, drawn: one among several that cannot move to another IOAS, as what
// is mapped there is not on its alignment.

import { DATA_OFFSET } from '../arena.ts';
import { testCall } from '../table-probes.ts';
import { allocate, open, use } from './first-calls.ts';
import { nativeCall } from './native-call.ts';
import type { Scene } from './scene.ts';

const FIXED = 7n;
const IOVA = 0x100_0000n;

/** Users of one IOAS, of which one asks for another IOAS and is refused, and mostly goes. */
export const beginRefusedMove = (scene: Scene): void => {
  const { dice, draft } = scene;
  const fd = open(scene);
  const from = allocate(scene, fd);
  const to = allocate(scene, fd);
  nativeCall(scene, 'map', fd, 'IOMMU_IOAS_MAP', {
    flags: FIXED,
    ioas_id: to,
    user_va: { arena: DATA_OFFSET },
    length: dice.of([1n, 2048n]),
    iova: IOVA,
  });
  const users = Array.from({ length: dice.number(2, 3) }, () => use(scene, fd, from));
  const moved = dice.of(users);
  const move = { id: moved, ioas_id: to };
  scene.add(testCall(draft.label('move'), fd, 'ACCESS_REPLACE_IOAS', move));
  if (dice.chance(2, 3)) scene.add({ op: 'close', label: draft.label('close'), fd: moved });
};
