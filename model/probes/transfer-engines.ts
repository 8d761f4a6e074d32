// SPDX-License-Identifier: MIT
// The open devices that can do DMA for a program, and what each can access: through a domain of an
// iommufd, or through a legacy container.

import { nodesOf } from '../../spec/collections/ordered-map.ts';
import { type Translated, translate } from '../../spec/hardware/translate.ts';
import { reachesBar, translate as translateByType1 } from '../../spec/hardware/translate-type1.ts';
import { deviceAt, hwptAt, tableOf } from '../../spec/state/context.ts';
import {
  boundDeviceOf,
  containerOf,
  contextOf,
  type GroupFile,
  openFile,
  type World,
} from '../../spec/state/world.ts';
import type { GenContext } from '../generate/gen-context.ts';
import type { Value } from '../programs/program.ts';

/** A device that can do DMA for a program, and the translation of its accesses. */
export type Engine = {
  readonly name: string;
  readonly fd: Value;
  /** The translation of an IOVA; undefined if nothing is mapped. */
  readonly leads: (iova: bigint) => Translated | undefined;
  /** The mapped ranges: first and last IOVA, inclusive. */
  readonly mapped: readonly (readonly [bigint, bigint])[];
};

type Reach = Pick<Engine, 'leads' | 'mapped'>;

/** No domain is attached. */
const NOTHING: Reach = { leads: () => undefined, mapped: [] };

/** Only so many areas are probed. */
const AREAS = 16;

type Ends = { readonly key: bigint; readonly value: { readonly last: bigint } };

const endsOf = (nodes: Iterable<Ends>): readonly (readonly [bigint, bigint])[] => {
  const ends: (readonly [bigint, bigint])[] = [];
  for (const { key, value } of nodes) {
    ends.push([key, value.last]);
    if (ends.length > AREAS) break;
  }
  return ends;
};

/** Undefined if it is not bound, or if its translation is not known. */
const reachByIommufd = (world: World, name: string): Reach | undefined => {
  const open = boundDeviceOf(world, name);
  if (open === undefined) return undefined;
  const context = contextOf(world, open.iommufd);
  if (context.untracked !== undefined) return undefined;
  const hwpt = deviceAt(context, open.object)?.hwpt;
  const owner = hwpt === undefined ? undefined : hwptAt(context, hwpt)?.ioas;
  if (hwpt === undefined || owner === undefined) return NOTHING;
  return {
    leads: (iova) => translate(context, hwpt, iova),
    mapped: endsOf(nodesOf(tableOf(context, owner).areas)),
  };
};

/** The group's file, while one of its devices is open and the container is a legacy one. */
const joinedGroup = (world: World, name: string): GroupFile | undefined => {
  const open = world.devices.get(name);
  const group = open?.kind === 'held' ? openFile(world, open.group) : undefined;
  return group?.kind === 'group' ? group : undefined;
};

/** Maps of other devices' BARs are unspecified. */
const reachByContainer = (world: World, name: string): Reach | undefined => {
  const group = joinedGroup(world, name);
  if (group?.container === undefined) return undefined;
  const container = containerOf(world, group.container);
  if (container.untracked !== undefined) return undefined;
  const dmas = container.type1?.dmas;
  const mapped = dmas === undefined ? [] : endsOf(nodesOf(dmas));
  return {
    leads: (iova) => translateByType1(container, group.group, iova),
    mapped: mapped.filter(([first, last]) => !reachesBar(container, first, last)),
  };
};

/** The devices that the program has open, each once. */
export const enginesOf = (gen: GenContext): readonly Engine[] => {
  const { world } = gen.builder;
  const engines = new Map<string, Engine>();
  const own = gen.descriptorsOf('cdev').filter(({ file }) => file.bound && !file.attachedByPasid);
  for (const { file, value } of [...gen.descriptorsOf('device'), ...own]) {
    const { name } = file;
    const described = world.setting.platform.devices.find((device) => device.name === name);
    if (described?.dmaEngine === undefined) continue;
    const reach = reachByIommufd(world, name) ?? reachByContainer(world, name);
    if (reach !== undefined) engines.set(name, { name, fd: value, ...reach });
  }
  return [...engines.values()];
};
