// SPDX-License-Identifier: MIT
// What the present world makes possible; the weights of operations depend on it.

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

/** Facts about the iommufd that is called next. */
export type IommufdFacts = {
  readonly gen: GenContext;
  readonly on: IommufdDescriptor;
  readonly counts: Counts;
  /** 1 if there is an IOAS, else 0: most calls are of no interest without one. */
  readonly some: number;
  /** 1 if mock devices may be made, else 0. */
  readonly mocks: number;
  /** Less if there is no compatibility IOAS. */
  readonly compatible: number;
  readonly accesses: readonly AccessDescriptor[];
  /** An access of it has pages pinned; only the access does once the device is destroyed. */
  readonly pinned: boolean;
};

/** Facts about the legacy container that is called next. */
export type ContainerFacts = {
  readonly on: ContainerDescriptor;
  /** A group has joined, and no type is set. */
  readonly waits: boolean;
  readonly joined: boolean;
  /** 1 after SET_IOMMU; less before it and with type NOIOMMU, when most calls are refused. */
  readonly ready: number;
  readonly tracksDirty: boolean;
};

export type Facts = {
  readonly gen: GenContext;
  readonly iommufd: IommufdFacts | undefined;
  readonly container: ContainerFacts | undefined;
  readonly groups: readonly GroupDescriptor[];
  /** Groups without a container, if there is one to join. */
  readonly alone: readonly GroupDescriptor[];
  readonly cdevs: readonly CdevDescriptor[];
  /** Devices that a group returned. */
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
