// Which operation comes next: weighted by what the present world makes possible.

import { STRUCT_OFFSET } from '../arena.ts';
import * as compat from './compat.ts';
import * as device from './device.ts';
import { type ContainerFacts, type Facts, factsOf, type IommufdFacts } from './facts.ts';
import { drawMemory } from './memory.ts';
import * as native from './native.ts';
import type { AccessDescriptor, ContainerDescriptor, IommufdDescriptor, Scene } from './scene.ts';
import * as test from './test.ts';
import type { Group, Theme } from './theme.ts';
import * as tracking from './tracking.ts';
import * as type1 from './type1.ts';

const drawClose = (scene: Scene): void => {
  const { dice } = scene;
  const descriptors = scene.descriptors();
  const fd = dice.chance(1, 15) || descriptors.length === 0 ? 199n : dice.of(descriptors).value;
  scene.add({ op: 'close', label: scene.draft.label('close'), fd });
};

const drawCloseAccess = (scene: Scene, _on: IommufdDescriptor, { value }: AccessDescriptor): void =>
  scene.add({ op: 'close', label: scene.draft.label('close'), fd: value });

/** A call on a descriptor that is not open, or that knows no such call. */
const drawOddDescriptor = (scene: Scene): void => {
  const { dice } = scene;
  const others = [...scene.descriptorsOf('memfd'), ...scene.descriptorsOf('access')];
  const fd = others.length === 0 || dice.chance(1, 3) ? 199n : dice.of(others).value;
  scene.plain('odd', fd, dice.of([0x3b64, 0x3b81, 0x3b71]), { arena: STRUCT_OFFSET });
};

/** A transfer by what cannot make one, or by a device that may have nothing to write. */
const drawOddTransfer = (scene: Scene): void => {
  const { dice } = scene;
  const devices = scene.descriptorsOf('device');
  const others = devices.length > 0 && dice.chance(1, 2) ? devices : scene.descriptors();
  const fd = others.length === 0 || dice.chance(1, 4) ? 199n : dice.of(others).value;
  const direction = dice.chance(3, 4) ? 'write' : 'read';
  const label = scene.draft.label('transfer');
  scene.add({ op: 'dma', label, fd, direction, iova: 0x100_0000n, length: 8 });
};

const drawOpen = (scene: Scene): void =>
  scene.add({ op: 'open', label: scene.draft.label('iommufd'), path: '/dev/iommu' });

/** Names that are nearly those of groups and devices. */
const ODD_PATHS = ['/dev/vfio/0', '/dev/vfio/devices/vfio0', '/dev/vfio/noiommu-0'] as const;

const drawOddPath = (scene: Scene): void => {
  const { dice, platform } = scene;
  const { group, cdev } = dice.of(platform.devices);
  const path = dice.of([
    `${dice.of(ODD_PATHS)}${dice.of([group, cdev ?? 0])}`,
    `/dev/vfio/${group}x`,
    `/dev/vfio/devices/vfio${cdev ?? 0}x`,
  ]);
  scene.add({ op: 'open', label: scene.draft.label('odd'), path });
};

/** One thing that could be drawn of a subject, and how often compared with the others. */
type Choice<Subject> = {
  readonly group: Group;
  readonly weight: (subject: Subject) => number;
  readonly draw: (scene: Scene, subject: Subject) => void;
};

const recent = ({ scene }: IommufdFacts, then: number, before: number): number =>
  scene.release === '7.3.4' ? then : before;

const onIommufd = (
  group: Group,
  weight: (facts: IommufdFacts) => number,
  draw: (scene: Scene, on: IommufdDescriptor) => void,
): Choice<IommufdFacts> => ({ group, weight, draw: (scene, { on }) => draw(scene, on) });

const onAccess = (
  weight: number,
  draw: (scene: Scene, on: IommufdDescriptor, access: AccessDescriptor) => void,
): Choice<IommufdFacts> => ({
  group: 'access',
  weight: ({ accesses }) => (accesses.length > 0 ? weight : 0),
  draw: (scene, { on, accesses }) => draw(scene, on, scene.dice.of(accesses)),
});

const onContainer = (
  weight: (facts: ContainerFacts) => number,
  draw: (scene: Scene, on: ContainerDescriptor) => void,
): Choice<ContainerFacts> => ({
  group: 'legacy',
  weight,
  draw: (scene, { on }) => draw(scene, on),
});

const fewer = (count: number, none: number, few: number, many: number): number =>
  count === 0 ? none : count < 3 ? few : many;

/** Where there is an iommufd. */
const OF_IOMMUFD: readonly Choice<IommufdFacts>[] = [
  onIommufd('other', ({ counts }) => fewer(counts.ioas, 40, 4, 1), native.drawIoasAlloc),
  onIommufd('other', ({ some }) => 4 * some, native.drawDestroy),
  onIommufd('table', ({ some }) => 22 * some + 0.2, native.drawIoasMap),
  onIommufd('table', ({ some }) => 12 * some + 0.2, native.drawIoasUnmap),
  onIommufd('table', ({ some }) => 8 * some, native.drawIoasCopy),
  onIommufd('place', ({ some }) => 3 * some, native.drawAllowIovas),
  onIommufd('other', ({ some }) => 3 * some, native.drawIovaRanges),
  onIommufd('other', () => 4, native.drawOption),
  onIommufd(
    'other',
    ({ compatible, some }) => (compatible < 1 ? 8 * some : 2),
    native.drawVfioIoas,
  ),
  onIommufd('odd', () => 2, native.drawOddNative),
  onIommufd('table', (facts) => recent(facts, 3 * facts.some, 0.2), native.drawMapFile),
  onIommufd('odd', (facts) => recent(facts, 0.7, 0.1), native.drawChangeProcess),
  onIommufd('domain', ({ counts }) => (counts.device > 0 ? 3 : 0.2), native.drawHwptAlloc),
  onIommufd(
    'table',
    (facts) => recent(facts, compat.hasNoIommu(facts.scene) ? 5 : 0.1, 0.1) * facts.some,
    native.drawGetPa,
  ),
  onIommufd('compat', ({ compatible }) => 14 * compatible, compat.drawMapDma),
  onIommufd('compat', ({ compatible }) => 10 * compatible, compat.drawUnmapDma),
  onIommufd('other', ({ compatible }) => 4 * compatible, compat.drawSetIommu),
  onIommufd('odd', () => 3, compat.drawCheckExtension),
  onIommufd('other', ({ compatible }) => 4 * compatible, compat.drawGetInfo),
  onIommufd('odd', () => 0.5, compat.drawApiVersion),
  onIommufd('odd', () => 0.7, compat.drawOddCompat),
  onIommufd(
    'domain',
    ({ counts, some, mocks }) => mocks * some * fewer(counts.selftest, 12, 4, 0.5),
    test.drawMockDomain,
  ),
  onIommufd(
    'domain',
    ({ counts, mocks }) => (counts.selftest > 0 ? 3 : 0.1 * mocks),
    test.drawMockReplace,
  ),
  onIommufd('place', ({ some }) => 2 * some, test.drawAddReserved),
  onIommufd('domain', ({ counts }) => (counts.hwpt > 0 ? 4 : 0.2), test.drawCheckMap),
  onIommufd('other', () => 2, test.drawCheckRefs),
  onIommufd(
    'access',
    ({ accesses, some }) => (accesses.length < 2 ? 3 * some : 0.5),
    test.drawCreateAccess,
  ),
  onIommufd('odd', () => 0.6, test.drawSmallTest),
  onIommufd('odd', ({ counts }) => (counts.device > 0 ? 0.7 : 0.1), tracking.drawHwInfo),
  onIommufd('odd', ({ counts }) => (counts.hwpt > 0 ? 0.8 : 0.1), tracking.drawSetTracking),
  onIommufd('odd', ({ counts }) => (counts.hwpt > 0 ? 1 : 0.1), tracking.drawGetBitmap),
  onIommufd('odd', ({ counts }) => (counts.hwpt > 0 ? 0.5 : 0.1), tracking.drawWritten),
  onAccess(10, test.drawAccessPages),
  onAccess(3, test.drawUnpin),
  onAccess(6, test.drawAccessRw),
  onAccess(3, test.drawAccessReplace),
  onAccess(1.5, drawCloseAccess),
  onIommufd(
    'access',
    ({ accesses, pinned, counts }) =>
      accesses.length === 0 ? 0 : pinned && counts.selftest > 0 ? 16 : 3,
    native.drawDestroyMock,
  ),
];

/** Where there is a legacy container. */
const OF_CONTAINER: readonly Choice<ContainerFacts>[] = [
  onContainer(({ waits }) => (waits ? 24 : 1), type1.drawSetIommu),
  onContainer(() => 3, compat.drawCheckExtension),
  onContainer(() => 0.5, type1.drawApiVersion),
  onContainer(({ ready }) => 22 * ready, type1.drawMapDma),
  onContainer(({ ready }) => 14 * ready, type1.drawUnmapDma),
  onContainer(({ ready }) => 6 * ready, type1.drawGetInfo),
  onContainer(({ ready, tracksDirty }) => (tracksDirty ? 12 : 4) * ready, type1.drawDirtyPages),
  onContainer(({ ready }) => 2 * ready, type1.drawMovedMemory),
  onContainer(() => 0.7, type1.drawOddContainer),
];

/** Anywhere. */
const OTHERS: readonly Choice<Facts>[] = [
  {
    group: 'legacy',
    weight: ({ alone, container }) => (alone.length === 0 ? 0 : container?.joined ? 3 : 16),
    draw: (scene, { alone }) => compat.drawJoin(scene, scene.dice.of(alone)),
  },
  {
    group: 'other',
    weight: ({ scene, groups }) =>
      scene.platform.devices.length === 0 ? 0 : groups.length === 0 ? 12 : 4,
    draw: (scene) => compat.drawOpenGroup(scene),
  },
  {
    group: 'other',
    weight: ({ scene, cdevs }) =>
      device.hasDeviceFiles(scene) ? fewer(cdevs.length, 10, 3, 1) : 0,
    draw: device.drawOpenDevice,
  },
  {
    group: 'device',
    weight: ({ cdevs }) => (cdevs.length === 0 ? 0 : 16),
    draw: (scene, { cdevs }) => device.drawDeviceCall(scene, scene.dice.of(cdevs)),
  },
  {
    group: 'other',
    weight: ({ groupDevices }) => (groupDevices.length === 0 ? 0 : 0.7),
    draw: (scene, { groupDevices }) =>
      device.drawGroupDeviceCall(scene, scene.dice.of(groupDevices).value),
  },
  {
    group: 'other',
    weight: ({ groups }) => (groups.length === 0 ? 0 : 16),
    draw: (scene, { groups }) => compat.drawGroupCall(scene, scene.dice.of(groups)),
  },
  {
    group: 'other',
    weight: ({ scene, iommufds }) =>
      scene.paths === 'legacy' ? 0.1 : iommufds === 0 ? 20 : iommufds < 2 ? 1 : 0.2,
    draw: drawOpen,
  },
  {
    group: 'legacy',
    weight: ({ scene, containers }) =>
      scene.paths === 'iommufd' ? 0 : containers === 0 ? 20 : containers < 2 ? 1 : 0.2,
    draw: (scene) => type1.drawOpenContainer(scene),
  },
  { group: 'odd', weight: () => 1.5, draw: drawClose },
  { group: 'odd', weight: () => 0.4, draw: drawOddDescriptor },
  {
    group: 'odd',
    weight: ({ scene }) => (scene.platform.devices.length === 0 ? 0 : 0.3),
    draw: drawOddPath,
  },
  {
    group: 'odd',
    weight: ({ scene }) => (scene.makesTransfers ? 0.3 : 0),
    draw: drawOddTransfer,
  },
  {
    group: 'memory',
    weight: ({ iommufd }) => (iommufd?.on.context.pages === undefined ? 1 : 3),
    draw: (scene) => drawMemory(scene),
  },
];

const GRAIN = 1_000_000;

/** How much more often than else a theme has each choice drawn, in the order of the tables. Themes are few. */
const timesOfThemes = new WeakMap<Theme, Float64Array>();

const timesOf = (theme: Theme): Float64Array => {
  const known = timesOfThemes.get(theme);
  if (known !== undefined) return known;
  const groups = [...OF_IOMMUFD, ...OF_CONTAINER, ...OTHERS].map(({ group }) => group);
  const times = Float64Array.from(groups, (group) => theme.weights[group] ?? 1);
  timesOfThemes.set(theme, times);
  return times;
};

/** The weights of the choices as they are drawn from, one at a time: kept, as a program has some forty. */
const WEIGHTS = new Float64Array(OF_IOMMUFD.length + OF_CONTAINER.length + OTHERS.length);

/** Weighs the choices of a subject, whose places begin at `from`; none of them where there is no subject. */
const weigh = <Subject>(
  choices: readonly Choice<Subject>[],
  subject: Subject | undefined,
  times: Float64Array,
  from: number,
): number => {
  let total = 0;
  for (let index = 0; index < choices.length; index += 1) {
    const { weight } = choices[index] as Choice<Subject>;
    const weighed = subject === undefined ? 0 : weight(subject) * (times[from + index] as number);
    WEIGHTS[from + index] = weighed;
    total += weighed;
  }
  return total;
};

/** Picks a choice by its weight, or by none, with a field of the call that is not as it should be. */
const drawnFrom = (scene: Scene, total: number, draw: (drawn: number) => void): void => {
  const isOdd = scene.dice.chance(1, scene.theme.oddIn);
  let at = (scene.dice.number(0, GRAIN - 1) / GRAIN) * (isOdd ? evened() : total);
  let drawn = 0;
  while (drawn < WEIGHTS.length - 1 && at >= (WEIGHTS[drawn] as number)) {
    at -= WEIGHTS[drawn] as number;
    drawn += 1;
  }
  if (isOdd) scene.oddly(() => draw(drawn));
  else draw(drawn);
};

/** Makes the weights alike of all that could be drawn; their sum. */
const evened = (): number => {
  let sum = 0;
  for (let index = 0; index < WEIGHTS.length; index += 1) {
    WEIGHTS[index] = WEIGHTS[index] === 0 ? 0 : 1;
    sum += WEIGHTS[index] as number;
  }
  return sum;
};

const drawWeighted = (facts: Facts): void => {
  const { scene, iommufd, container } = facts;
  const times = timesOf(scene.theme);
  const containers = OF_IOMMUFD.length;
  const others = containers + OF_CONTAINER.length;
  const total =
    weigh(OF_IOMMUFD, iommufd, times, 0) +
    weigh(OF_CONTAINER, container, times, containers) +
    weigh(OTHERS, facts, times, others);
  drawnFrom(scene, total, (drawn) => {
    if (drawn >= others) OTHERS[drawn - others]?.draw(scene, facts);
    else if (drawn >= containers && container !== undefined)
      OF_CONTAINER[drawn - containers]?.draw(scene, container);
    else if (iommufd !== undefined) OF_IOMMUFD[drawn]?.draw(scene, iommufd);
  });
};
/** Draws one more operation, or one that makes others possible. */
export const drawOperation = (scene: Scene): void => {
  if (scene.draft.operations.length === 0) {
    scene.theme.begin(scene);
    if (scene.draft.operations.length > 0) return;
  }
  drawWeighted(factsOf(scene));
};
