// SPDX-License-Identifier: MIT
// The state of one open iommufd: its objects, in one space of ids, and the memory that its areas map.
// struct iommufd_ctx in drivers/iommu/iommufd/iommufd_private.h.

import { type ObjectId, objectId } from '../abi/units.ts';
import { drop, nodesOf, type OrderedMap, put, valueAt } from '../collections/ordered-map.ts';
import type { IovaRange } from '../terms/platform.ts';
import type { HardwareDomain } from './domain.ts';
import type { FileId } from './files.ts';
import type { IoPagetable } from './io-pagetable.ts';
import { type Pages, type PagesId, withAreaCount } from './pages.ts';

export type Ioas = { readonly kind: 'ioas'; readonly table: IoPagetable };

/** Stretches of whole areas; unknown once a test has written a part of one. */
export type Dirty = readonly IovaRange[] | 'unknown';

export type Hwpt = {
  readonly kind: 'hwpt';
  readonly ioas: ObjectId;
  /** Made by an attach, and gone with the last device; the others are the program's. */
  readonly automatic: boolean;
  readonly domain: HardwareDomain;
  /** Whether the domain tracks dirty pages now. */
  readonly tracking: boolean;
  readonly dirty: Dirty;
};

/** A device as the IOMMU sees it: what is bound to the iommufd. */
export type Device = {
  readonly kind: 'device';
  /** Which IOMMU translates for it: domains fit all devices of one. */
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

/** The mock device's own object, which the program destroys to take the device away. */
export type Selftest = { readonly kind: 'selftest'; readonly device: ObjectId };

/** One span that an access has pinned. */
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

/** Made by a call that is not specified: only that it exists is known. */
export type UnspecifiedObject = { readonly kind: 'unspecified'; readonly madeBy: string };

export type IommufdObject = Ioas | Hwpt | Device | Selftest | Access | UnspecifiedObject;

export type Context = {
  readonly objects: OrderedMap<ObjectId, IommufdObject>;
  /** Where VFIO calls go. */
  readonly compatIoas: ObjectId | undefined;
  /** A no-IOMMU group has had it as its container; it stays so. */
  readonly noIommu: boolean;
  /** How maps of a process with a limit are charged. */
  readonly accounting: 'user' | 'process';
  readonly pages: OrderedMap<PagesId, Pages>;
  readonly nextPages: PagesId;
  /** Why nothing more can be said of it: an unspecified call may have changed it. */
  readonly untracked: string | undefined;
  /** Objects that an unspecified call may use, with that call: whether they can be destroyed is not known. */
  readonly uncertainUsers: OrderedMap<ObjectId, string>;
  /** An unspecified call may have changed what mock devices' caches hold. */
  readonly untrackedCaches: boolean;
  /** The file that it is. */
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
  uncertainUsers: undefined,
  untrackedCaches: false,
  file,
});

/** The greatest id: ids are positive numbers of 31 bits. */
export const OBJECT_ID_MAX = 0x7fff_ffff;

/** The least id that is free, above `after`: the one that the kernel takes. */
export const leastFreeId = (context: Context, after = 0): ObjectId => {
  let id = after + 1;
  for (const { key } of nodesOf(context.objects)) {
    if (key > id) break;
    if (key === id) id += 1;
  }
  return objectId(id);
};

/** The object of that id, as are the next ones of one kind; undefined where there is none. */
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

/** Written out, as most steps make such contexts: a spread costs many times as much. */
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
  uncertainUsers: context.uncertainUsers,
  untrackedCaches: context.untrackedCaches,
  file: context.file,
});

export const withObject = (context: Context, id: ObjectId, object: IommufdObject): Context =>
  contextWith(context, put(context.objects, id, object), context.pages, context.nextPages);

/** The context without the object; where it was the compatibility IOAS, there is none any more. */
export const withoutObject = (context: Context, id: ObjectId): Context => ({
  ...context,
  objects: drop(context.objects, id),
  compatIoas: context.compatIoas === id ? undefined : context.compatIoas,
});

/** The table of an IOAS that is known to exist. */
export const tableOf = (context: Context, ioas: ObjectId): IoPagetable => {
  const found = ioasAt(context, ioas);
  if (found === undefined) throw new Error(`Object ${ioas} is no IOAS; its users outlived it.`);
  return found.table;
};

export const withTable = (context: Context, ioas: ObjectId, table: IoPagetable): Context =>
  withObject(context, ioas, { kind: 'ioas', table });

/** How many others use the object. An object with users cannot be destroyed. */
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
  // Whoever bound a device or made an access holds it until it lets go.
  return object?.kind === 'device' || object?.kind === 'access' ? 1 : 0;
};

export const pagesAt = (context: Context, id: PagesId): Pages => {
  const pages = valueAt(context.pages, id);
  if (pages === undefined) throw new Error(`Pages ${id} are gone and an area still maps them.`);
  return pages;
};

export const withPages = (context: Context, id: PagesId, pages: Pages): Context =>
  contextWith(context, context.objects, put(context.pages, id, pages), context.nextPages);

/** The context with pages that no area maps yet; they have the number `context.nextPages`. */
export const withNewPages = (context: Context, pages: Pages): Context =>
  contextWith(
    context,
    context.objects,
    put(context.pages, context.nextPages, pages),
    context.nextPages + 1,
  );

const withoutPages = (context: Context, id: PagesId): Context =>
  contextWith(context, context.objects, drop(context.pages, id), context.nextPages);

/** One area less refers to the pages; with the last they are gone. */
export const withoutAreaOf = (context: Context, id: PagesId): Context => {
  const pages = pagesAt(context, id);
  return pages.areas === 1
    ? withoutPages(context, id)
    : withPages(context, id, withAreaCount(pages, pages.areas - 1));
};
