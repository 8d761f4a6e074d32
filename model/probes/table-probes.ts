// SPDX-License-Identifier: MIT
// Probes of what neither a reply nor a domain of an IOAS shows: a domain that is attached now is
// filled from its areas, and an access may use each area as its flags permit.

import {
  ACCESS_NEEDS_PIN_PAGES,
  MOCK_ACCESS_RW_SLOW_PATH,
  MOCK_ACCESS_RW_WRITE,
} from '../../spec/abi/test.ts';
import { type ObjectId, objectId, PAGE_SIZE_BYTES } from '../../spec/abi/units.ts';
import { each, nodesOf } from '../../spec/collections/ordered-map.ts';
import { type Context, tableOf } from '../../spec/state/context.ts';
import type { GenContext, IommufdDescriptor } from '../generate/gen-context.ts';
import { testCall } from '../generate/test-call.ts';
import { memoryAt } from '../generate/test-commands.ts';
import { ARRAY_OFFSET } from '../programs/arena.ts';
import type { Value } from '../programs/program.ts';

const WRITE = BigInt(MOCK_ACCESS_RW_WRITE);
const SLOW = BigInt(MOCK_ACCESS_RW_SLOW_PATH);
const NEEDS_PINS = BigInt(ACCESS_NEEDS_PIN_PAGES);

/** At most so many in one program, so that most calls are still generated ones. */
const MOST_TABLES = 3;
const MOST_AREAS = 6;
const MOST_HELD = 3;

type Span = { readonly iova: bigint; readonly last: bigint };

/** The first areas of an IOAS, at most so many. */
const areasOf = (context: Context, ioas: ObjectId, most: number): readonly Span[] =>
  [...nodesOf(tableOf(context, ioas).areas)]
    .slice(0, most)
    .map(({ key, value }) => ({ iova: key, last: value.last }));

const hasDomain = (context: Context, ioas: ObjectId): boolean => {
  let found = false;
  each(context.objects, (_, object) => {
    found ||= object.kind === 'hwpt' && object.ioas === ioas;
  });
  return found;
};

/** Adds a device or an access to an IOAS; returns nothing if it is refused. */
const makeUser = (
  gen: GenContext,
  on: IommufdDescriptor,
  ioas: ObjectId,
  flags: bigint,
): Value | undefined => {
  const label = gen.builder.label('user');
  const id = gen.named(on.context, ioas);
  gen.add(testCall(label, on.value, 'CREATE_ACCESS', { id, flags }));
  const out = 'out_access_fd';
  return gen.builder.output(label, out) === 0n ? undefined : { from: label, out };
};

/** Writes each area's first byte and reads its last one, or vice versa, as its flags permit. */
const useAreas = (gen: GenContext, on: IommufdDescriptor, ioas: ObjectId): void => {
  const id = makeUser(gen, on, ioas, 0n);
  if (id === undefined) return;
  const areas = areasOf(on.context, ioas, MOST_AREAS);
  for (const [index, { iova, last }] of areas.entries()) {
    const writesFirst = index % 2 === 0;
    // Half of them on the slow path, that of accesses of another process.
    const slow = (iova & PAGE_SIZE_BYTES) === 0n ? 0n : SLOW;
    const use = (at: bigint, flags: bigint): void => {
      const uptr = { arena: ARRAY_OFFSET };
      const fields = { id, iova: at, length: 1n, uptr, flags };
      gen.add(testCall(gen.builder.label('use'), on.value, 'ACCESS_RW', fields));
    };
    use(iova, slow | (writesFirst ? WRITE : 0n));
    use(last, slow | (writesFirst ? 0n : WRITE));
  }
};

/** At most so much of an area is pinned, in bytes. */
const MOST_LENGTH = 16n * PAGE_SIZE_BYTES;

/**
 * Pins the last pages of some areas, and then the areas: unpinning must keep what others have
 * pinned, and pinning must reuse pages that are already pinned.
 */
const pinPages = (gen: GenContext, on: IommufdDescriptor, ioas: ObjectId): void => {
  const id = makeUser(gen, on, ioas, NEEDS_PINS);
  if (id === undefined) return;
  const hold = (iova: bigint, length: bigint, uptr: Value): void => {
    const fields = { id, iova, length, uptr };
    gen.add(testCall(gen.builder.label('hold'), on.value, 'ACCESS_PAGES', fields));
  };
  for (const { iova, last } of areasOf(on.context, ioas, MOST_HELD)) {
    const length = last - iova + 1n < MOST_LENGTH ? last - iova + 1n : MOST_LENGTH;
    const ofLast = ((length - 1n) / PAGE_SIZE_BYTES) * PAGE_SIZE_BYTES;
    hold(iova + ofLast, 1n, 0n);
    if (ofLast === 0n) continue;
    hold(iova, length, memoryAt(on.context, tableOf(on.context, ioas), iova) ?? 0n);
  }
};

/** Adds probes of a domain, by the handle of its hwpt, its id and its IOAS. */
export type ProbeDomain = (
  on: IommufdDescriptor,
  name: Value,
  hwpt: ObjectId,
  ioas: ObjectId,
) => void;

/** A descriptor in the present world. */
const present = (gen: GenContext, fd: number): IommufdDescriptor => {
  const found = gen.iommufds().find((descriptor) => descriptor.fd === fd);
  if (found === undefined) throw new Error(`Descriptor ${fd} is no iommufd any more.`);
  return found;
};

const attach = (gen: GenContext, fd: number, ioas: ObjectId, probeDomain: ProbeDomain): void => {
  const { context, value } = present(gen, fd);
  if (!gen.platform.mockDevices || hasDomain(context, ioas)) return;
  const label = gen.builder.label('attached');
  gen.add(testCall(label, value, 'MOCK_DOMAIN', { id: gen.named(context, ioas) }));
  const hwpt = Number(gen.builder.output(label, 'out_hwpt_id'));
  if (hwpt === 0) return;
  const name = { from: label, out: 'out_hwpt_id' };
  probeDomain(present(gen, fd), name, objectId(hwpt), ioas);
};

/** Adds the probes to the context's builder. */
export const probeTables = (gen: GenContext, probeDomain: ProbeDomain): void => {
  let tables = 0;
  for (const { fd, context } of gen.iommufds()) {
    if (context.untracked !== undefined) continue;
    for (const ioas of gen.objectIds(context, 'ioas').map(objectId)) {
      if (tableOf(context, ioas).areas === undefined) continue;
      tables += 1;
      if (tables > MOST_TABLES) return;
      useAreas(gen, present(gen, fd), ioas);
      attach(gen, fd, ioas, probeDomain);
      pinPages(gen, present(gen, fd), ioas);
    }
  }
};
