// What the present world makes possible: what the weights of drawn operations depend on.

import { accessAt } from '../../../spec/state/context.ts';
import type {
  AccessDescriptor,
  CdevDescriptor,
  ContainerDescriptor,
  Counts,
  Descriptor,
  GroupDescriptor,
  IommufdDescriptor,
  Scene,
} from './scene.ts';

/** What is so of an iommufd that is called next. */
export type IommufdFacts = {
  readonly scene: Scene;
  readonly on: IommufdDescriptor;
  readonly counts: Counts;
  /** 1 where there is an IOAS, 0 where not: most calls are of no interest without one. */
  readonly some: number;
  /** 1 where mock devices may be made, 0 where not. */
  readonly mocks: number;
  /** Less where VFIO calls have no IOAS. */
  readonly compatible: number;
  readonly accesses: readonly AccessDescriptor[];
  /** An access of it has pages pinned, which a device that is taken away leaves to it alone. */
  readonly pinned: boolean;
};

/** What is so of a legacy container that is called next. */
export type ContainerFacts = {
  readonly on: ContainerDescriptor;
  /** A group has joined, and no type is set. */
  readonly waits: boolean;
  readonly joined: boolean;
  /** 1 from SET_IOMMU on; less before and where the type is NOIOMMU, when most calls are refused. */
  readonly ready: number;
  readonly tracksDirty: boolean;
};

export type Facts = {
  readonly scene: Scene;
  readonly iommufd: IommufdFacts | undefined;
  readonly container: ContainerFacts | undefined;
  readonly groups: readonly GroupDescriptor[];
  /** Groups that are in no container, where there is one to join. */
  readonly alone: readonly GroupDescriptor[];
  readonly cdevs: readonly CdevDescriptor[];
  /** Devices that were got from a group. */
  readonly groupDevices: readonly Descriptor[];
  readonly iommufds: number;
  readonly containers: number;
};

const iommufdFacts = (scene: Scene): IommufdFacts | undefined => {
  const iommufds = scene.iommufds();
  if (iommufds.length === 0) return undefined;
  const on = scene.dice.of(iommufds);
  const counts = scene.counts(on.context);
  const accesses = scene.descriptorsOf('access');
  return {
    scene,
    on,
    counts,
    some: counts.ioas > 0 ? 1 : 0,
    mocks: scene.platform.mockDevices ? 1 : 0,
    compatible: on.context.compatIoas === undefined ? 0.15 : 1,
    accesses,
    pinned: accesses.some(({ file }) => (accessAt(on.context, file.object)?.pins.length ?? 0) > 0),
  };
};

const containerFacts = (scene: Scene): ContainerFacts | undefined => {
  const containers = scene.containers();
  if (containers.length === 0) return undefined;
  const on = scene.dice.of(containers);
  const { groups, type1: made, noIommu } = on.file.container;
  return {
    on,
    waits: groups.length > 0 && made === undefined && !noIommu,
    joined: groups.length > 0,
    ready: made !== undefined ? 1 : noIommu ? 0.2 : 0.03,
    tracksDirty: made?.tracksDirty === true,
  };
};

export const factsOf = (scene: Scene): Facts => {
  const groups = scene.descriptorsOf('group');
  const containers = scene.containers().length;
  return {
    scene,
    iommufd: iommufdFacts(scene),
    container: containerFacts(scene),
    groups,
    alone: containers > 0 ? groups.filter(({ file }) => file.container === undefined) : [],
    cdevs: scene.descriptorsOf('cdev'),
    groupDevices: scene.descriptorsOf('device'),
    iommufds: scene.iommufds().length,
    containers,
  };
};
