// Which operation comes next: weighted by what the present world makes possible.

import { DATA_OFFSET, READ_ONLY_OFFSET, SHARED_OFFSET, STRUCT_OFFSET } from '../arena.ts';
import * as compat from './compat.ts';
import { type ContainerFacts, type Facts, factsOf, type IommufdFacts } from './facts.ts';
import * as native from './native.ts';
import type { AccessDescriptor, ContainerDescriptor, IommufdDescriptor, Scene } from './scene.ts';
import * as test from './test.ts';
import * as type1 from './type1.ts';

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
  const files = scene.descriptorsOf('memfd');
  const protection = dice.of(['read-write', 'read-write', 'read', 'none'] as const);
  if (files.length > 0 && dice.chance(1, 3)) {
    const others = [...scene.descriptorsOf('iommufd'), ...scene.descriptorsOf('access')];
    const odd = dice.chance(1, 20) && others.length > 0;
    const fd = dice.chance(1, 30) ? 99n : (odd ? dice.of(others) : dice.of(files)).value;
    const backing = { kind: 'memfd', fd, offset: 0n } as const;
    scene.add({ op: 'mmap', label, offset, length: PAGE, protection, shared: true, backing });
    return;
  }
  const backing = { kind: 'anonymous' } as const;
  const shared = dice.chance(1, 3);
  scene.add({ op: 'mmap', label, offset, length, protection, shared, backing });
};

const drawClose = (scene: Scene): void => {
  const { dice } = scene;
  const descriptors = scene.descriptors();
  const fd = dice.chance(1, 15) || descriptors.length === 0 ? 199n : dice.of(descriptors).value;
  scene.add({ op: 'close', label: scene.draft.label('close'), fd });
};

/** A call on a descriptor that is not open, or that knows no such call. */
const drawOddDescriptor = (scene: Scene): void => {
  const { dice } = scene;
  const others = [...scene.descriptorsOf('memfd'), ...scene.descriptorsOf('access')];
  const fd = others.length === 0 || dice.chance(1, 3) ? 199n : dice.of(others).value;
  scene.plain('odd', fd, dice.of([0x3b64, 0x3b81, 0x3b71]), { arena: STRUCT_OFFSET });
};

const drawOpen = (scene: Scene): void =>
  scene.add({ op: 'open', label: scene.draft.label('iommufd'), path: '/dev/iommu' });

/** One thing that could be drawn, and how often compared with the others. */
type Choice = {
  readonly weight: (facts: Facts) => number;
  readonly draw: (facts: Facts) => void;
};

const recent = ({ scene }: IommufdFacts, then: number, before: number): number =>
  scene.release === '7.3.4' ? then : before;

const onIommufd = (
  weight: (facts: IommufdFacts) => number,
  draw: (scene: Scene, on: IommufdDescriptor) => void,
): Choice => ({
  weight: ({ iommufd }) => (iommufd === undefined ? 0 : weight(iommufd)),
  draw: ({ scene, iommufd }) => {
    if (iommufd !== undefined) draw(scene, iommufd.on);
  },
});

const onAccess = (
  weight: number,
  draw: (scene: Scene, on: IommufdDescriptor, access: AccessDescriptor) => void,
): Choice => ({
  weight: ({ iommufd }) => (iommufd !== undefined && iommufd.accesses.length > 0 ? weight : 0),
  draw: ({ scene, iommufd }) => {
    if (iommufd !== undefined) draw(scene, iommufd.on, scene.dice.of(iommufd.accesses));
  },
});

const onContainer = (
  weight: (facts: ContainerFacts) => number,
  draw: (scene: Scene, on: ContainerDescriptor) => void,
): Choice => ({
  weight: ({ container }) => (container === undefined ? 0 : weight(container)),
  draw: ({ scene, container }) => {
    if (container !== undefined) draw(scene, container.on);
  },
});

const fewer = (count: number, none: number, few: number, many: number): number =>
  count === 0 ? none : count < 3 ? few : many;

const CHOICES: readonly Choice[] = [
  onIommufd(({ counts }) => fewer(counts.ioas, 40, 4, 1), native.drawIoasAlloc),
  onIommufd(({ some }) => 4 * some, native.drawDestroy),
  onIommufd(({ some }) => 22 * some + 0.2, native.drawIoasMap),
  onIommufd(({ some }) => 12 * some + 0.2, native.drawIoasUnmap),
  onIommufd(({ some }) => 8 * some, native.drawIoasCopy),
  onIommufd(({ some }) => 3 * some, native.drawAllowIovas),
  onIommufd(({ some }) => 3 * some, native.drawIovaRanges),
  onIommufd(() => 4, native.drawOption),
  onIommufd(({ compatible, some }) => (compatible < 1 ? 8 * some : 2), native.drawVfioIoas),
  onIommufd(() => 2, native.drawOddNative),
  onIommufd((facts) => recent(facts, 3 * facts.some, 0.2), native.drawMapFile),
  onIommufd((facts) => recent(facts, 0.7, 0.1), native.drawChangeProcess),
  onIommufd(({ counts }) => (counts.device > 0 ? 3 : 0.2), native.drawHwptAlloc),
  onIommufd(({ compatible }) => 14 * compatible, compat.drawMapDma),
  onIommufd(({ compatible }) => 10 * compatible, compat.drawUnmapDma),
  onIommufd(({ compatible }) => 4 * compatible, compat.drawSetIommu),
  onIommufd(() => 3, compat.drawCheckExtension),
  onIommufd(({ compatible }) => 4 * compatible, compat.drawGetInfo),
  onIommufd(() => 0.5, compat.drawApiVersion),
  onIommufd(() => 0.7, compat.drawOddCompat),
  onIommufd(
    ({ counts, some, mocks }) => mocks * some * fewer(counts.selftest, 12, 4, 0.5),
    test.drawMockDomain,
  ),
  onIommufd(({ counts, mocks }) => (counts.selftest > 0 ? 3 : 0.1 * mocks), test.drawMockReplace),
  onIommufd(({ some }) => 2 * some, test.drawAddReserved),
  onIommufd(({ counts }) => (counts.hwpt > 0 ? 4 : 0.2), test.drawCheckMap),
  onIommufd(() => 2, test.drawCheckRefs),
  onIommufd(({ accesses, some }) => (accesses.length < 2 ? 3 * some : 0.5), test.drawCreateAccess),
  onIommufd(() => 0.6, test.drawSmallTest),
  onAccess(6, test.drawAccessPages),
  onAccess(3, test.drawUnpin),
  onAccess(6, test.drawAccessRw),
  onAccess(2, test.drawAccessReplace),
  onAccess(3, native.drawDestroyMock),
  onContainer(({ joined, ready }) => (joined && ready < 1 ? 24 : 1), type1.drawSetIommu),
  onContainer(() => 3, type1.drawCheckExtension),
  onContainer(() => 0.5, type1.drawApiVersion),
  onContainer(({ ready }) => 22 * ready, type1.drawMapDma),
  onContainer(({ ready }) => 14 * ready, type1.drawUnmapDma),
  onContainer(({ ready }) => 6 * ready, type1.drawGetInfo),
  onContainer(({ ready, tracksDirty }) => (tracksDirty ? 12 : 4) * ready, type1.drawDirtyPages),
  onContainer(({ ready }) => 2 * ready, type1.drawMovedMemory),
  onContainer(() => 0.7, type1.drawOddContainer),
  {
    weight: ({ alone, container }) => (alone.length === 0 ? 0 : container?.joined ? 3 : 16),
    draw: ({ scene, alone }) => compat.drawJoin(scene, scene.dice.of(alone)),
  },
  {
    weight: ({ scene, groups }) =>
      scene.platform.devices.length === 0 ? 0 : groups.length === 0 ? 20 : 4,
    draw: ({ scene }) => compat.drawOpenGroup(scene),
  },
  {
    weight: ({ groups }) => (groups.length === 0 ? 0 : 16),
    draw: ({ scene, groups }) => compat.drawGroupCall(scene, scene.dice.of(groups)),
  },
  {
    weight: ({ scene, iommufds }) =>
      scene.paths === 'legacy' ? 0.1 : iommufds === 0 ? 20 : iommufds < 2 ? 1 : 0.2,
    draw: ({ scene }) => drawOpen(scene),
  },
  {
    weight: ({ scene, containers }) =>
      scene.paths === 'iommufd' ? 0 : containers === 0 ? 20 : containers < 2 ? 1 : 0.2,
    draw: ({ scene }) => type1.drawOpenContainer(scene),
  },
  { weight: () => 1.5, draw: ({ scene }) => drawClose(scene) },
  { weight: () => 0.4, draw: ({ scene }) => drawOddDescriptor(scene) },
  {
    weight: ({ iommufd }) => (iommufd?.on.context.pages === undefined ? 1 : 3),
    draw: ({ scene }) => drawMemory(scene),
  },
];

const GRAIN = 1_000_000;

const drawWeighted = (facts: Facts): void => {
  const weights = CHOICES.map(({ weight }) => weight(facts));
  let total = 0;
  for (const weight of weights) total += weight;
  let at = (facts.scene.dice.number(0, GRAIN - 1) / GRAIN) * total;
  for (let index = 0; index < CHOICES.length; index += 1) {
    at -= weights[index] as number;
    if (at < 0) {
      (CHOICES[index] as Choice).draw(facts);
      return;
    }
  }
};

/** Draws one more operation, or one that makes others possible. */
export const drawOperation = (scene: Scene): void => drawWeighted(factsOf(scene));
