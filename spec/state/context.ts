// SPDX-License-Identifier: MIT
// The state of one open iommufd: its objects by id, and the pages that its areas map. struct iommufd_ctx in
// drivers/iommu/iommufd/iommufd_private.h.

import { type ObjectId, objectId } from '../abi/units.ts';
import { drop, nodesOf, type OrderedMap, put, valueAt } from '../collections/ordered-map.ts';
import type { IovaRange } from '../terms/platform.ts';
import type { HardwareDomain } from './domain.ts';
import type { FileId } from './files.ts';
import type { IoPagetable } from './io-pagetable.ts';
import { type Pages, type PagesId, withAreaCount } from './pages.ts';

export type Ioas = { readonly kind: 'ioas'; readonly table: IoPagetable };

/** The ranges of dirty areas; 'unknown' once a test has written a part of an area. */
export type Dirty = readonly IovaRange[] | 'unknown';

export type Hwpt = {
  readonly kind: 'hwpt';
  readonly ioas: ObjectId;
  /** Made by an attach and destroyed with its last device. The program makes and destroys the others. */
  readonly automatic: boolean;
  readonly domain: HardwareDomain;
  /** Whether the domain tracks dirty pages now. */
  readonly tracking: boolean;
  readonly dirty: Dirty;
};

/** A device that is bound to the iommufd. */
export type Device = {
  readonly kind: 'device';
  /** The IOMMU that translates for it. A domain fits all devices of one IOMMU. */
  readonly iommu: string;
  /** Devices of one group share one attachment. */
  readonly group: string;
  readonly reserved: readonly IovaRange[];
  readonly enforcesCacheCoherency: boolean;
  readonly hwpt: ObjectId | undefined;
  /** Mock devices only: cannot attach to domains that track dirty pages; has larger pages; has PASIDs. */
  readonly mock:
    | { readonly noDirty: boolean; readonly hugePages: boolean; readonly pasids: boolean }
    | undefined;
};

/** The test object of a mock device. The program destroys it to remove the device. */
export type Selftest = { readonly kind: 'selftest'; readonly device: ObjectId };

/** A range that an access has pinned. */
export type PinnedAccess = {
  readonly id: number;
  readonly iova: bigint;
  /** Bytes. */
  readonly length: bigint;
};

/** An access of an IOAS: an mdev, or one made by the test command. */
export type Access = {
  readonly kind: 'access';
  readonly needsPins: boolean;
  readonly ioas: ObjectId | undefined;
  readonly pins: readonly PinnedAccess[];
  readonly nextPin: number;
};

/** An object that an unspecified call made. Only its existence is known. */
export type UnspecifiedObject = { readonly kind: 'unspecified'; readonly madeBy: string };

export type IommufdObject = Ioas | Hwpt | Device | Selftest | Access | UnspecifiedObject;

export type Context = {
  readonly objects: OrderedMap<ObjectId, IommufdObject>;
  /** The compatibility IOAS. */
  readonly compatIoas: ObjectId | undefined;
  /** It has been the container of a no-IOMMU group. Nothing resets this. */
  readonly noIommu: boolean;
  /** What the pages of an unprivileged process are charged to. */
  readonly accounting: 'user' | 'process';
  readonly pages: OrderedMap<PagesId, Pages>;
  readonly nextPages: PagesId;
  /** Why its state is not known any more: an unspecified call may have changed it. */
  readonly untracked: string | undefined;
  /**
   * Objects that what an unspecified call made may use, with the name of the call. Whether they can be destroyed is not
   * known.
   */
  readonly untrackedUsers: OrderedMap<ObjectId, string>;
  /** An unspecified call may have changed the caches of mock devices. */
  readonly untrackedCaches: boolean;
  /** Its file. */
  readonly file: FileId;
};

export const newContext = (file: FileId): Context => ({
  objects: undefined,
  compatIoas: undefined,
  noIommu: false,
  accounting: 'user',
  pages: undefined,
  nextPages: 1,
  untracked: undefined,
  untrackedUsers: undefined,
  untrackedCaches: false,
  file,
});

/** The greatest id: ids are positive 31-bit numbers. */
export const OBJECT_ID_MAX = 0x7fff_ffff;

/** The lowest free id above `after`, which the kernel takes. */
export const lowestFreeId = (context: Context, after = 0): ObjectId => {
  let id = after + 1;
  for (const { key } of nodesOf(context.objects)) {
    if (key > id) break;
    if (key === id) id += 1;
  }
  return objectId(id);
};

/** The object with the id; undefined if there is none. */
export const objectAt = (context: Context, id: ObjectId): IommufdObject | undefined =>
  valueAt(context.objects, id);

export const ioasAt = (context: Context, id: ObjectId): Ioas | undefined => {
  const object = valueAt(context.objects, id);
  return object?.kind === 'ioas' ? object : undefined;
};

export const hwptAt = (context: Context, id: ObjectId): Hwpt | undefined => {
  const object = valueAt(context.objects, id);
  return object?.kind === 'hwpt' ? object : undefined;
};

export const deviceAt = (context: Context, id: ObjectId): Device | undefined => {
  const object = valueAt(context.objects, id);
  return object?.kind === 'device' ? object : undefined;
};

export const accessAt = (context: Context, id: ObjectId): Access | undefined => {
  const object = valueAt(context.objects, id);
  return object?.kind === 'access' ? object : undefined;
};

/** Written out because most steps call it: a spread costs many times as much. */
const contextWith = (
  context: Context,
  objects: Context['objects'],
  pages: Context['pages'],
  nextPages: PagesId,
): Context => ({
  objects,
  compatIoas: context.compatIoas,
  noIommu: context.noIommu,
  accounting: context.accounting,
  pages,
  nextPages,
  untracked: context.untracked,
  untrackedUsers: context.untrackedUsers,
  untrackedCaches: context.untrackedCaches,
  file: context.file,
});

export const withObject = (context: Context, id: ObjectId, object: IommufdObject): Context =>
  contextWith(context, put(context.objects, id, object), context.pages, context.nextPages);

/** The context without the object, and without a compatibility IOAS if it was that. */
export const withoutObject = (context: Context, id: ObjectId): Context => ({
  ...context,
  objects: drop(context.objects, id),
  compatIoas: context.compatIoas === id ? undefined : context.compatIoas,
});

/** The table of an IOAS that exists. */
export const tableOf = (context: Context, ioas: ObjectId): IoPagetable => {
  const found = ioasAt(context, ioas);
  if (found === undefined) throw new Error(`Object ${ioas} is not an IOAS; its users outlived it.`);
  return found.table;
};

export const withTable = (context: Context, ioas: ObjectId, table: IoPagetable): Context =>
  withObject(context, ioas, { kind: 'ioas', table });

/** How many users the object has. An object with users cannot be destroyed. */
export const usersOf = (context: Context, id: ObjectId): number => {
  const object = objectAt(context, id);
  if (object?.kind === 'ioas') return object.table.domains.length + object.table.accesses.length;
  if (object?.kind === 'hwpt') {
    let users = 0;
    for (const { value } of nodesOf(context.objects)) {
      if (value.kind === 'device' && value.hwpt === id) users += 1;
    }
    return users;
  }
  // The file that bound the device or created the access uses it.
  return object?.kind === 'device' || object?.kind === 'access' ? 1 : 0;
};

export const pagesAt = (context: Context, id: PagesId): Pages => {
  const pages = valueAt(context.pages, id);
  if (pages === undefined) throw new Error(`Pages ${id} are gone and an area still maps them.`);
  return pages;
};

export const withPages = (context: Context, id: PagesId, pages: Pages): Context =>
  contextWith(context, context.objects, put(context.pages, id, pages), context.nextPages);

/** The context with new pages, which no area maps yet. Their id is `context.nextPages`. */
export const withNewPages = (context: Context, pages: Pages): Context =>
  contextWith(
    context,
    context.objects,
    put(context.pages, context.nextPages, pages),
    context.nextPages + 1,
  );

const withoutPages = (context: Context, id: PagesId): Context =>
  contextWith(context, context.objects, drop(context.pages, id), context.nextPages);

/** The context with one area less for the pages, which are dropped with their last area. */
export const withoutAreaOf = (context: Context, id: PagesId): Context => {
  const pages = pagesAt(context, id);
  return pages.areas === 1
    ? withoutPages(context, id)
    : withPages(context, id, withAreaCount(pages, pages.areas - 1));
};
