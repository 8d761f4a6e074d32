// SPDX-License-Identifier: MIT
// Chooses the next operation, with weights that depend on the present world.

import type { ChangeName } from '../../spec/terms/changes.ts';
import { STRUCT_OFFSET } from '../programs/arena.ts';
import * as compat from './compat.ts';
import * as device from './device.ts';
import * as tracking from './dirty-tracking.ts';
import { type ContainerFacts, type Facts, factsOf, type IommufdFacts } from './facts.ts';
import type {
  AccessDescriptor,
  ContainerDescriptor,
  GenContext,
  IommufdDescriptor,
  Profile,
} from './gen-context.ts';
import { generateMemory } from './memory.ts';
import * as native from './native.ts';
import type { Group } from './profile.ts';
import * as test from './test-commands.ts';
import * as type1 from './type1.ts';

const generateClose = (gen: GenContext): void => {
  const { rng } = gen;
  const descriptors = gen.descriptors();
  const fd = rng.chance(1, 15) || descriptors.length === 0 ? 199n : rng.of(descriptors).value;
  gen.add({ op: 'close', label: gen.builder.label('close'), fd });
};

const generateCloseAccess = (
  gen: GenContext,
  _on: IommufdDescriptor,
  { value }: AccessDescriptor,
): void => gen.add({ op: 'close', label: gen.builder.label('close'), fd: value });

/** A call on a descriptor that is not open, or on a file that does not know the call. */
const generateInvalidDescriptor = (gen: GenContext): void => {
  const { rng } = gen;
  const others = [...gen.descriptorsOf('memfd'), ...gen.descriptorsOf('access')];
  const fd = others.length === 0 || rng.chance(1, 3) ? 199n : rng.of(others).value;
  gen.plain('invalid', fd, rng.of([0x3b64, 0x3b81, 0x3b71]), { arena: STRUCT_OFFSET });
};

/** A transfer by a file that cannot make one, or by a device that may have nothing to write. */
const generateInvalidTransfer = (gen: GenContext): void => {
  const { rng } = gen;
  const devices = gen.descriptorsOf('device');
  const others = devices.length > 0 && rng.chance(1, 2) ? devices : gen.descriptors();
  const fd = others.length === 0 || rng.chance(1, 4) ? 199n : rng.of(others).value;
  const direction = rng.chance(3, 4) ? 'write' : 'read';
  const label = gen.builder.label('transfer');
  gen.add({ op: 'dma', label, fd, direction, iova: 0x100_0000n, length: 8 });
};

const generateOpen = (gen: GenContext): void =>
  gen.add({ op: 'open', label: gen.builder.label('iommufd'), path: '/dev/iommu' });

/** Almost the paths of groups and devices. */
const INVALID_PATHS = ['/dev/vfio/0', '/dev/vfio/devices/vfio0', '/dev/vfio/noiommu-0'] as const;

const generateInvalidPath = (gen: GenContext): void => {
  const { rng, platform } = gen;
  const { group, cdev } = rng.of(platform.devices);
  const path = rng.of([
    `${rng.of(INVALID_PATHS)}${rng.of([group, cdev ?? 0])}`,
    `/dev/vfio/${group}x`,
    `/dev/vfio/devices/vfio${cdev ?? 0}x`,
  ]);
  gen.add({ op: 'open', label: gen.builder.label('invalid'), path });
};

/** One choice for a subject, and its weight. */
type Choice<Subject> = {
  readonly group: Group;
  readonly weight: (subject: Subject) => number;
  readonly generate: (gen: GenContext, subject: Subject) => void;
};

/** A weight, or another for releases without the call. */
const where = (
  { gen }: IommufdFacts,
  change: ChangeName,
  present: number,
  absent: number,
): number => (gen.release.has[change] ? present : absent);

const onIommufd = (
  group: Group,
  weight: (facts: IommufdFacts) => number,
  generate: (gen: GenContext, on: IommufdDescriptor) => void,
): Choice<IommufdFacts> => ({ group, weight, generate: (gen, { on }) => generate(gen, on) });

const onAccess = (
  weight: number,
  generate: (gen: GenContext, on: IommufdDescriptor, access: AccessDescriptor) => void,
): Choice<IommufdFacts> => ({
  group: 'access',
  weight: ({ accesses }) => (accesses.length > 0 ? weight : 0),
  generate: (gen, { on, accesses }) => generate(gen, on, gen.rng.of(accesses)),
});

const onContainer = (
  weight: (facts: ContainerFacts) => number,
  generate: (gen: GenContext, on: ContainerDescriptor) => void,
): Choice<ContainerFacts> => ({
  group: 'legacy',
  weight,
  generate: (gen, { on }) => generate(gen, on),
});

const fewer = (count: number, none: number, few: number, many: number): number =>
  count === 0 ? none : count < 3 ? few : many;

/** With an iommufd. */
const OF_IOMMUFD: readonly Choice<IommufdFacts>[] = [
  onIommufd('other', ({ counts }) => fewer(counts.ioas, 40, 4, 1), native.generateIoasAlloc),
  onIommufd('other', ({ some }) => 4 * some, native.generateDestroy),
  onIommufd('table', ({ some }) => 22 * some + 0.2, native.generateIoasMap),
  onIommufd('table', ({ some }) => 12 * some + 0.2, native.generateIoasUnmap),
  onIommufd('table', ({ some }) => 8 * some, native.generateIoasCopy),
  onIommufd('place', ({ some }) => 3 * some, native.generateAllowIovas),
  onIommufd('other', ({ some }) => 3 * some, native.generateIovaRanges),
  onIommufd('other', () => 4, native.generateOption),
  onIommufd(
    'other',
    ({ compatible, some }) => (compatible < 1 ? 8 * some : 2),
    native.generateVfioIoas,
  ),
  onIommufd('invalid', () => 2, native.generateInvalidNative),
  onIommufd(
    'table',
    (facts) => where(facts, 'IOMMU_IOAS_MAP_FILE', 3 * facts.some, 0.2),
    native.generateMapFile,
  ),
  onIommufd(
    'invalid',
    (facts) => where(facts, 'IOMMU_IOAS_CHANGE_PROCESS', 0.7, 0.1),
    native.generateChangeProcess,
  ),
  onIommufd('domain', ({ counts }) => (counts.device > 0 ? 3 : 0.2), native.generateHwptAlloc),
  onIommufd(
    'table',
    (facts) =>
      where(facts, 'IOMMU_IOAS_NOIOMMU_GET_PA', compat.hasNoIommu(facts.gen) ? 5 : 0.1, 0.1) *
      facts.some,
    native.generateGetPa,
  ),
  onIommufd('compat', ({ compatible }) => 14 * compatible, compat.generateMapDma),
  onIommufd('compat', ({ compatible }) => 10 * compatible, compat.generateUnmapDma),
  onIommufd('other', ({ compatible }) => 4 * compatible, compat.generateSetIommu),
  onIommufd('invalid', () => 3, compat.generateCheckExtension),
  onIommufd('other', ({ compatible }) => 4 * compatible, compat.generateGetInfo),
  onIommufd('invalid', () => 0.5, compat.generateApiVersion),
  onIommufd('invalid', () => 0.7, compat.generateInvalidCompat),
  onIommufd(
    'domain',
    ({ counts, some, mocks }) => mocks * some * fewer(counts.selftest, 12, 4, 0.5),
    test.generateMockDomain,
  ),
  onIommufd(
    'domain',
    ({ counts, mocks }) => (counts.selftest > 0 ? 3 : 0.1 * mocks),
    test.generateMockReplace,
  ),
  onIommufd('place', ({ some }) => 2 * some, test.generateAddReserved),
  onIommufd('domain', ({ counts }) => (counts.hwpt > 0 ? 4 : 0.2), test.generateCheckMap),
  onIommufd('other', () => 2, test.generateCheckRefs),
  onIommufd(
    'access',
    ({ accesses, some }) => (accesses.length < 2 ? 3 * some : 0.5),
    test.generateCreateAccess,
  ),
  onIommufd('invalid', () => 0.6, test.generateSmallTest),
  onIommufd('invalid', ({ counts }) => (counts.device > 0 ? 0.7 : 0.1), tracking.generateHwInfo),
  onIommufd('invalid', ({ counts }) => (counts.hwpt > 0 ? 0.8 : 0.1), tracking.generateSetTracking),
  onIommufd('invalid', ({ counts }) => (counts.hwpt > 0 ? 1 : 0.1), tracking.generateGetBitmap),
  onIommufd('invalid', ({ counts }) => (counts.hwpt > 0 ? 0.5 : 0.1), tracking.generateWritten),
  onAccess(10, test.generateAccessPages),
  onAccess(3, test.generateUnpin),
  onAccess(6, test.generateAccessRw),
  onAccess(3, test.generateAccessReplace),
  onAccess(1.5, generateCloseAccess),
  onIommufd(
    'access',
    ({ accesses, pinned, counts }) =>
      accesses.length === 0 ? 0 : pinned && counts.selftest > 0 ? 16 : 3,
    native.generateDestroyMock,
  ),
];

/** With a legacy container. */
const OF_CONTAINER: readonly Choice<ContainerFacts>[] = [
  onContainer(({ waits }) => (waits ? 24 : 1), type1.generateSetIommu),
  onContainer(() => 3, compat.generateCheckExtension),
  onContainer(() => 0.5, type1.generateApiVersion),
  onContainer(({ ready }) => 22 * ready, type1.generateMapDma),
  onContainer(({ ready }) => 14 * ready, type1.generateUnmapDma),
  onContainer(({ ready }) => 6 * ready, type1.generateGetInfo),
  onContainer(({ ready, tracksDirty }) => (tracksDirty ? 12 : 4) * ready, type1.generateDirtyPages),
  onContainer(({ ready }) => 2 * ready, type1.generateMovedMemory),
  onContainer(() => 0.7, type1.generateInvalidContainer),
];

/** Anywhere. */
const OTHERS: readonly Choice<Facts>[] = [
  {
    group: 'legacy',
    weight: ({ alone, container }) => (alone.length === 0 ? 0 : container?.joined ? 3 : 16),
    generate: (gen, { alone }) => compat.generateJoin(gen, gen.rng.of(alone)),
  },
  {
    group: 'other',
    weight: ({ gen, groups }) =>
      gen.platform.devices.length === 0 ? 0 : groups.length === 0 ? 12 : 4,
    generate: (gen) => compat.generateOpenGroup(gen),
  },
  {
    group: 'other',
    weight: ({ gen, cdevs }) => (device.hasDeviceFiles(gen) ? fewer(cdevs.length, 10, 3, 1) : 0),
    generate: device.generateOpenDevice,
  },
  {
    group: 'device',
    weight: ({ cdevs }) => (cdevs.length === 0 ? 0 : 16),
    generate: (gen, { cdevs }) => device.generateDeviceCall(gen, gen.rng.of(cdevs)),
  },
  {
    group: 'other',
    weight: ({ groupDevices }) => (groupDevices.length === 0 ? 0 : 0.7),
    generate: (gen, { groupDevices }) =>
      device.generateGroupDeviceCall(gen, gen.rng.of(groupDevices).value),
  },
  {
    group: 'other',
    weight: ({ groups }) => (groups.length === 0 ? 0 : 16),
    generate: (gen, { groups }) => compat.generateGroupCall(gen, gen.rng.of(groups)),
  },
  {
    group: 'other',
    weight: ({ gen, iommufds }) =>
      gen.paths === 'legacy' ? 0.1 : iommufds === 0 ? 20 : iommufds < 2 ? 1 : 0.2,
    generate: generateOpen,
  },
  {
    group: 'legacy',
    weight: ({ gen, containers }) =>
      gen.paths === 'iommufd' ? 0 : containers === 0 ? 20 : containers < 2 ? 1 : 0.2,
    generate: (gen) => type1.generateOpenContainer(gen),
  },
  { group: 'invalid', weight: () => 1.5, generate: generateClose },
  { group: 'invalid', weight: () => 0.4, generate: generateInvalidDescriptor },
  {
    group: 'invalid',
    weight: ({ gen }) => (gen.platform.devices.length === 0 ? 0 : 0.3),
    generate: generateInvalidPath,
  },
  {
    group: 'invalid',
    weight: ({ gen }) => (gen.makesTransfers ? 0.3 : 0),
    generate: generateInvalidTransfer,
  },
  {
    group: 'memory',
    weight: ({ iommufd }) => (iommufd?.on.context.pages === undefined ? 1 : 3),
    generate: (gen) => generateMemory(gen),
  },
];

const GRAIN = 1_000_000;

/**
 * How much more often a profile makes each choice, in the order of the tables. Profiles are few.
 */
const timesOfProfiles = new WeakMap<Profile, Float64Array>();

const timesOf = (profile: Profile): Float64Array => {
  const known = timesOfProfiles.get(profile);
  if (known !== undefined) return known;
  const groups = [...OF_IOMMUFD, ...OF_CONTAINER, ...OTHERS].map(({ group }) => group);
  const times = Float64Array.from(groups, (group) => profile.weights[group] ?? 1);
  timesOfProfiles.set(profile, times);
  return times;
};

/**
 * The weights of the choices, in one array that is reused, since a program has some forty
 * operations.
 */
const WEIGHTS = new Float64Array(OF_IOMMUFD.length + OF_CONTAINER.length + OTHERS.length);

/** Sets the weights of the choices of a subject, from index `from`; 0 if there is no subject. */
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

/** Picks a choice by its weight, or any choice with an invalid field. */
const generatedFrom = (
  gen: GenContext,
  total: number,
  generate: (generated: number) => void,
): void => {
  const isInvalid = gen.rng.chance(1, gen.profile.invalidIn);
  let at = (gen.rng.number(0, GRAIN - 1) / GRAIN) * (isInvalid ? equalized() : total);
  let generated = 0;
  while (generated < WEIGHTS.length - 1 && at >= (WEIGHTS[generated] as number)) {
    at -= WEIGHTS[generated] as number;
    generated += 1;
  }
  if (isInvalid) gen.withInvalidFields(() => generate(generated));
  else generate(generated);
};

/** Makes all weights equal. Returns their sum. */
const equalized = (): number => {
  let sum = 0;
  for (let index = 0; index < WEIGHTS.length; index += 1) {
    WEIGHTS[index] = WEIGHTS[index] === 0 ? 0 : 1;
    sum += WEIGHTS[index] as number;
  }
  return sum;
};

const generateWeighted = (facts: Facts): void => {
  const { gen, iommufd, container } = facts;
  const times = timesOf(gen.profile);
  const containers = OF_IOMMUFD.length;
  const others = containers + OF_CONTAINER.length;
  const total =
    weigh(OF_IOMMUFD, iommufd, times, 0) +
    weigh(OF_CONTAINER, container, times, containers) +
    weigh(OTHERS, facts, times, others);
  generatedFrom(gen, total, (generated) => {
    if (generated >= others) OTHERS[generated - others]?.generate(gen, facts);
    else if (generated >= containers && container !== undefined)
      OF_CONTAINER[generated - containers]?.generate(gen, container);
    else if (iommufd !== undefined) OF_IOMMUFD[generated]?.generate(gen, iommufd);
  });
};
/** Generates one more operation, or one that makes others possible. */
export const generateOperation = (gen: GenContext): void => {
  if (gen.builder.operations.length === 0) {
    gen.profile.begin(gen);
    if (gen.builder.operations.length > 0) return;
  }
  generateWeighted(factsOf(gen));
};
