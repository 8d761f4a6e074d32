// SPDX-License-Identifier: MIT
// What the program's open devices reach on each side: IOVAs, their pages, and the permissions. A map that no open device
// can use is no difference.

import { PROCESS } from '../../model/programs/run.ts';
import { nodesOf } from '../../spec/collections/ordered-map.ts';
import { translations } from '../../spec/hardware/translate.ts';
import { translations as type1Translations } from '../../spec/hardware/translate-type1.ts';
import { deviceAt } from '../../spec/state/context.ts';
import {
  type BoundDevice,
  containerOf,
  descriptorsOf,
  type HeldDevice,
  openFile,
  type World,
} from '../../spec/state/world.ts';
import { range } from '../text/quantities.ts';
import type { DifferenceKind } from './answer-difference.ts';

export type Span = {
  readonly iova: bigint;
  readonly length: number;
  readonly backing: number;
  readonly page: number;
  readonly offset: number;
  readonly readable: boolean;
  readonly writable: boolean;
};

/** The devices that the program has open, by name. */
export const openDevices = (world: World): readonly string[] => {
  const names = new Set<string>();
  for (const { value } of nodesOf(descriptorsOf(world, PROCESS))) {
    const file = openFile(world, value);
    if (file?.kind === 'device') names.add(file.name);
  }
  return [...names].sort();
};

/** Through an iommufd: the domain that the device is attached to. */
function* throughIommufd(world: World, bound: BoundDevice): Generator<Span> {
  const file = openFile(world, bound.iommufd);
  if (file?.kind !== 'iommufd') return;
  const hwpt = deviceAt(file.context, bound.object)?.hwpt;
  if (hwpt !== undefined) yield* translations(file.context, hwpt);
}

/** Through the legacy container that the device's group has joined. */
function* throughContainer(world: World, held: HeldDevice): Generator<Span> {
  const group = openFile(world, held.group);
  if (group?.kind !== 'group' || group.container === undefined) return;
  yield* type1Translations(containerOf(world, group.container), group.group);
}

/** What the device reaches, span by span, in ascending order within each map. */
export const through = (world: World, name: string): readonly Span[] => {
  const device = world.devices.get(name);
  if (device === undefined || device.kind === 'unbound') return [];
  return [
    ...(device.kind === 'bound' ? throughIommufd(world, device) : throughContainer(world, device)),
  ];
};

const sameAccess = (a: Span, b: Span): boolean =>
  a.readable === b.readable && a.writable === b.writable;

const permission = ({ readable, writable }: Span): string =>
  `${readable ? 'r' : '-'}${writable ? 'w' : '-'}`;

const rangeText = (spans: readonly Span[]): string => {
  const ranges: { start: bigint; last: bigint; access: string }[] = [];
  for (const span of spans) {
    const before = ranges.at(-1);
    const last = span.iova + BigInt(span.length) - 1n;
    const access = permission(span);
    if (before !== undefined && before.last + 1n === span.iova && before.access === access) {
      before.last = last;
    } else {
      ranges.push({ start: span.iova, last, access });
    }
  }
  return ranges.length === 0
    ? 'nothing'
    : ranges.map(({ start, last, access }) => `${range(start, last)} ${access}`).join(', ');
};

const kindOf = (legacy: readonly Span[], compat: readonly Span[]): string | undefined => {
  const other = new Map(compat.map((span) => [span.iova, span]));
  let missing = false;
  for (const span of legacy) {
    const pair = other.get(span.iova);
    if (pair === undefined) missing = true;
    else if (!sameAccess(span, pair)) return 'with what permission devices reach memory';
    else if (pair.page !== span.page || pair.backing !== span.backing)
      return 'which memory devices reach';
  }
  if (missing) return 'what devices reach: less under iommufd';
  return legacy.length === compat.length ? undefined : 'what devices reach: more under iommufd';
};

/** Differences in what the devices that are open on both sides reach. */
export function* reachDifferences(legacy: World, compat: World): Generator<DifferenceKind> {
  const both = openDevices(legacy).filter((name) => openDevices(compat).includes(name));
  for (const name of both) {
    const one = through(legacy, name);
    const other = through(compat, name);
    const what = kindOf(one, other);
    if (what !== undefined) yield { what, legacy: rangeText(one), compat: rangeText(other) };
  }
}
