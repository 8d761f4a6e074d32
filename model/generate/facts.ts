// SPDX-License-Identifier: MIT
// What the present world makes possible: what the weights of operations depend on.

import { accessAt } from '../../spec/state/context.ts';
import type {
  AccessDescriptor,
  CdevDescriptor,
  ContainerDescriptor,
  Counts,
  Descriptor,
  GenContext,
  GroupDescriptor,
  IommufdDescriptor,
} from './gen-context.ts';

/** What is so of an iommufd that is called next. */
export type IommufdFacts = {
  readonly gen: GenContext;
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
  readonly gen: GenContext;
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

const iommufdFacts = (gen: GenContext): IommufdFacts | undefined => {
  const iommufds = gen.iommufds();
  if (iommufds.length === 0) return undefined;
  const on = gen.rng.of(iommufds);
  const counts = gen.counts(on.context);
  const accesses = gen.descriptorsOf('access');
  return {
    gen,
    on,
    counts,
    some: counts.ioas > 0 ? 1 : 0,
    mocks: gen.platform.mockDevices ? 1 : 0,
    compatible: on.context.compatIoas === undefined ? 0.15 : 1,
    accesses,
    pinned: accesses.some(({ file }) => (accessAt(on.context, file.object)?.pins.length ?? 0) > 0),
  };
};

const containerFacts = (gen: GenContext): ContainerFacts | undefined => {
  const containers = gen.containers();
  if (containers.length === 0) return undefined;
  const on = gen.rng.of(containers);
  const { groups, type1: made, noIommu } = on.file.container;
  return {
    on,
    waits: groups.length > 0 && made === undefined && !noIommu,
    joined: groups.length > 0,
    ready: made !== undefined ? 1 : noIommu ? 0.2 : 0.03,
    tracksDirty: made?.tracksDirty === true,
  };
};

export const factsOf = (gen: GenContext): Facts => {
  const groups = gen.descriptorsOf('group');
  const containers = gen.containers().length;
  return {
    gen,
    iommufd: iommufdFacts(gen),
    container: containerFacts(gen),
    groups,
    alone: containers > 0 ? groups.filter(({ file }) => file.container === undefined) : [],
    cdevs: gen.descriptorsOf('cdev'),
    groupDevices: gen.descriptorsOf('device'),
    iommufds: gen.iommufds().length,
    containers,
  };
};
