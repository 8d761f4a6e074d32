// SPDX-License-Identifier: MIT
// A hint for an unmap's wrong answer: it fits the first areas alone, or the unmap met a pinned area.

import { ERRNO } from '../../spec/abi/errno.ts';
import { decode } from '../../spec/abi/layout.ts';
import { U64_MAX } from '../../spec/abi/units.ts';
import { nodesOf } from '../../spec/collections/ordered-map.ts';
import { accessAt, type PinnedAccess } from '../../spec/state/context.ts';
import { descriptorsOf, openFile, type World } from '../../spec/state/world.ts';
import type { Call, Observation } from '../../spec/terms/call.ts';
import type { CallContext } from '../decode/call-context.ts';
import { length as lengthText, listed, range } from '../text/quantities.ts';
import { firstAreasOf } from './evidence/unmapping.ts';

/** Ends of IOVAs, inclusive. */
type Range = { readonly start: bigint; readonly last: bigint };

/** By call: the field that counts the bytes. */
const COUNTS: Readonly<Record<string, string>> = {
  VFIO_IOMMU_UNMAP_DMA: 'size',
  IOMMU_IOAS_UNMAP: 'length',
};

const UNMAP_ALL = 2;

/** The IOVAs that an unmap names; with ALL, every IOVA. */
const rangeOf = ({ shape, values, spans }: CallContext): Range | undefined => {
  const [span] = spans;
  if (span === undefined) return undefined;
  const { start, length } = span;
  const isAll =
    (shape.name === 'VFIO_IOMMU_UNMAP_DMA' && (Number(values.flags ?? 0) & UNMAP_ALL) !== 0) ||
    (start === 0n && length === U64_MAX);
  return isAll ? { start: 0n, last: U64_MAX } : { start, last: start + length - 1n };
};

/** "descriptor 4", the access with that id. */
const descriptorOfAccess = (world: World, { process }: Call, id: number): string | undefined => {
  for (const { key, value } of nodesOf(descriptorsOf(world, process))) {
    const file = openFile(world, value);
    if (file?.kind === 'access' && file.object === id) return `descriptor ${key}`;
  }
  return undefined;
};

const lastIn = ({ iova, length }: PinnedAccess): bigint => iova + length - 1n;

/** The pins of accesses in the range, as clauses. */
const pinsIn = (world: World, call: Call, about: CallContext): readonly string[] => {
  const mapped = rangeOf(about);
  const { context } = about;
  if (mapped === undefined || context === undefined) return [];
  return [...nodesOf(context.objects)].flatMap(({ key }) => {
    const access = accessAt(context, key);
    const [span] = about.spans;
    if (access === undefined || access.ioas !== span?.ioas) return [];
    const pins = access.pins.filter(
      (pin) => pin.iova <= mapped.last && lastIn(pin) >= mapped.start,
    );
    const fd = descriptorOfAccess(world, call, key);
    const name = `the access with id ${key}${fd === undefined ? '' : ` (${fd})`}`;
    return pins.length === 0
      ? []
      : [`${name} pins ${listed(pins.map((pin) => range(pin.iova, lastIn(pin))))}`];
  });
};

/** The kernel asks each access to unpin an area, and gives up after so many times. */
const TRIES = 100;

const pinnedHint = (world: World, call: Call, about: CallContext): string | undefined => {
  const pins = pinsIn(world, call, about);
  return pins.length === 0
    ? undefined
    : `the unmap met an area that stayed pinned: ${listed(pins)}; an access must unpin what is unmapped, and after ` +
        `${TRIES} tries iopt_unmap_iova_range() gives up with EDEADLOCK`;
};

/** A clause; undefined if there is no hint. */
export const unmapHint = (
  world: World,
  call: Call,
  about: CallContext,
  observation: Observation,
): string | undefined => {
  const { layout, name } = about.shape;
  const field = COUNTS[name];
  if (field === undefined) return undefined;
  if (observation.errno === ERRNO.EDEADLOCK) return pinnedHint(world, call, about);
  const bytes = observation.memory[0]?.bytes;
  if (layout === undefined || bytes === undefined) return undefined;
  const seen = (decode(layout, bytes) as Readonly<Record<string, bigint>>)[field] ?? 0n;
  const areas = firstAreasOf(about, seen);
  return areas === undefined
    ? undefined
    : `the unmap stopped too early: ${lengthText(seen)} is the size of the first ${areas === 1 ? 'area' : `${areas} areas`} of the range alone`;
};
