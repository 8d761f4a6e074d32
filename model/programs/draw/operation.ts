// Which operation comes next: weighted by what the present world makes possible.

import { nodesOf } from '../../../spec/collections/ordered-map.ts';
import { DATA_OFFSET, READ_ONLY_OFFSET, SHARED_OFFSET } from '../arena.ts';
import * as compat from './compat.ts';
import * as native from './native.ts';
import type { IommufdDescriptor, Scene } from './scene.ts';
import * as test from './test.ts';

/** One thing that could be drawn, and how often compared with the others. */
type Weighted = readonly [weight: number, draw: () => void];

const PAGE = 4096n;

const drawMemory = (scene: Scene): void => {
  const { dice } = scene;
  const base = dice.of([DATA_OFFSET, DATA_OFFSET, SHARED_OFFSET, READ_ONLY_OFFSET]);
  const offset = base + BigInt(dice.number(0, 7)) * PAGE;
  const length = BigInt(dice.number(1, 4)) * PAGE;
  const label = scene.draft.label('memory');
  if (dice.chance(1, 3)) {
    scene.add({ op: 'munmap', label, offset, length });
    return;
  }
  if (dice.chance(1, 4)) {
    scene.add({ op: 'store', label, offset, hex: dice.u64().toString(16).padStart(16, '0') });
    return;
  }
  scene.add({
    op: 'mmap',
    label,
    offset,
    length,
    protection: dice.of(['read-write', 'read-write', 'read', 'none']),
    shared: dice.chance(1, 3),
    backing: { kind: 'anonymous' },
  });
};

const drawClose = (scene: Scene): void => {
  const descriptors = scene.descriptors();
  if (descriptors.length === 0) return;
  const { value } = scene.dice.of(descriptors);
  scene.add({ op: 'close', label: scene.draft.label('close'), fd: value });
};

const drawOpen = (scene: Scene): void =>
  scene.add({ op: 'open', label: scene.draft.label('iommufd'), path: '/dev/iommu' });

const onIommufd = (scene: Scene, on: IommufdDescriptor): readonly Weighted[] => {
  const count = (kind: Parameters<Scene['objectIds']>[1]): number =>
    scene.objectIds(on.context, kind).length;
  const ioases = count('ioas');
  const some = ioases > 0 ? 1 : 0;
  const compatible = on.context.compatIoas === undefined ? 0.15 : 1;
  const accesses = scene.descriptorsOf('access');
  const access = accesses.length > 0 ? scene.dice.of(accesses) : undefined;
  const withAccess = access === undefined ? 0 : 1;
  const mocks = count('selftest');
  return [
    [ioases === 0 ? 40 : ioases < 3 ? 4 : 1, () => native.drawIoasAlloc(scene, on)],
    [4 * some, () => native.drawDestroy(scene, on)],
    [22 * some + 0.2, () => native.drawIoasMap(scene, on)],
    [12 * some + 0.2, () => native.drawIoasUnmap(scene, on)],
    [8 * some, () => native.drawIoasCopy(scene, on)],
    [3 * some, () => native.drawAllowIovas(scene, on)],
    [3 * some, () => native.drawIovaRanges(scene, on)],
    [4, () => native.drawOption(scene, on)],
    [on.context.compatIoas === undefined ? 8 * some : 2, () => native.drawVfioIoas(scene, on)],
    [2, () => native.drawOddNative(scene, on)],
    [scene.release === '7.3.4' ? 3 * some : 0.2, () => native.drawMapFile(scene, on)],
    [scene.release === '7.3.4' ? 0.7 : 0.1, () => native.drawChangeProcess(scene, on)],
    [count('device') > 0 ? 3 : 0.2, () => native.drawHwptAlloc(scene, on)],
    [14 * compatible, () => compat.drawMapDma(scene, on)],
    [10 * compatible, () => compat.drawUnmapDma(scene, on)],
    [4 * compatible, () => compat.drawSetIommu(scene, on)],
    [3, () => compat.drawCheckExtension(scene, on)],
    [4 * compatible, () => compat.drawGetInfo(scene, on)],
    [0.5, () => compat.drawApiVersion(scene, on)],
    [0.7, () => compat.drawOddCompat(scene, on)],
    [mocks === 0 ? 12 * some : mocks < 4 ? 4 * some : 0.5, () => test.drawMockDomain(scene, on)],
    [mocks > 0 ? 3 : 0.1, () => test.drawMockReplace(scene, on)],
    [2 * some, () => test.drawAddReserved(scene, on)],
    [count('hwpt') > 0 ? 4 : 0.2, () => test.drawCheckMap(scene, on)],
    [2, () => test.drawCheckRefs(scene, on)],
    [accesses.length < 2 ? 3 * some : 0.5, () => test.drawCreateAccess(scene, on)],
    [0.6, () => test.drawSmallTest(scene, on)],
    ...(access === undefined
      ? []
      : ([
          [6 * withAccess, () => test.drawAccessPages(scene, on, access)],
          [3 * withAccess, () => test.drawUnpin(scene, on, access)],
          [6 * withAccess, () => test.drawAccessRw(scene, on, access)],
          [2 * withAccess, () => test.drawAccessReplace(scene, on, access)],
        ] as const)),
  ];
};

const onGroups = (scene: Scene): readonly Weighted[] => {
  if (scene.platform.devices.length === 0) return [];
  const groups = scene.descriptorsOf('group');
  const open = groups.length === 0 ? 20 : 4;
  return [
    [open, () => compat.drawOpenGroup(scene)],
    ...(groups.length === 0
      ? []
      : ([[16, () => compat.drawGroupCall(scene, scene.dice.of(groups))]] as const)),
  ];
};

const drawWeighted = (scene: Scene, choices: readonly Weighted[]): void => {
  let total = 0;
  for (const [weight] of choices) total += weight;
  let at = (scene.dice.number(0, 1_000_000) / 1_000_000) * total;
  for (const [weight, draw] of choices) {
    at -= weight;
    if (at <= 0) {
      draw();
      return;
    }
  }
  choices.at(-1)?.[1]();
};

/** Draws one more operation, or one that makes others possible. */
export const drawOperation = (scene: Scene): void => {
  const iommufds = scene.iommufds();
  if (iommufds.length === 0) {
    drawOpen(scene);
    return;
  }
  const on = scene.dice.of(iommufds);
  const mapped = [...nodesOf(on.context.pages)].length > 0;
  drawWeighted(scene, [
    ...onIommufd(scene, on),
    ...onGroups(scene),
    [iommufds.length < 2 ? 1 : 0.2, () => drawOpen(scene)],
    [1.5, () => drawClose(scene)],
    [mapped ? 3 : 1, () => drawMemory(scene)],
  ]);
};
