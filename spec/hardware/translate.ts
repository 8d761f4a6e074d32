// SPDX-License-Identifier: MIT
// What a domain translates, derived from the areas of its IOAS.

import { type ObjectId, PAGE_SIZE_BYTES, pageIndex } from '../abi/units.ts';
import { nodesOf } from '../collections/ordered-map.ts';
import type { BackingId } from '../state/address-space.ts';
import { type AreaNode, areaAt, byteOf } from '../state/area.ts';
import { type Context, type Hwpt, hwptAt, pagesAt, tableOf } from '../state/context.ts';
import { runAt } from '../state/pages.ts';

export type Translated = {
  readonly backing: BackingId;
  /** The page's position in the backing. */
  readonly page: number;
  /** Bytes into the page. */
  readonly offset: number;
  readonly readable: boolean;
  readonly writable: boolean;
};

const throughArea = (
  context: Context,
  { domain }: Hwpt,
  node: AreaNode,
  iova: bigint,
): Translated => {
  const { pages, readable, writable } = node.value;
  const byte = byteOf(node, iova);
  const index = pageIndex(Number(byte / PAGE_SIZE_BYTES));
  const found = runAt(pagesAt(context, pages).pinned, index);
  if (found === undefined) {
    throw new Error(
      `IOVA 0x${iova.toString(16)} is mapped in a domain and its page is not pinned.`,
    );
  }
  return {
    backing: found.run.backing,
    page: found.run.page + (index - found.first),
    offset: Number(byte % PAGE_SIZE_BYTES),
    readable: readable || (writable && domain.writeImpliesRead),
    writable,
  };
};

/** The byte of memory that `iova` translates to; undefined if it is not translated. */
export const translate = (
  context: Context,
  hwpt: ObjectId,
  iova: bigint,
): Translated | undefined => {
  const owner = hwptAt(context, hwpt);
  if (owner === undefined) return undefined;
  const node = areaAt(tableOf(context, owner.ioas).areas, iova);
  return node === undefined ? undefined : throughArea(context, owner, node, iova);
};

/** A byte of memory, and the last IOVA (inclusive) up to which the domain translates to consecutive memory. */
export type TranslatedFrom = Translated & { readonly last: bigint };

/** What `iova` and the IOVAs after it translate to; undefined if it is not translated. */
export const translateFrom = (
  context: Context,
  hwpt: ObjectId,
  iova: bigint,
): TranslatedFrom | undefined => {
  const owner = hwptAt(context, hwpt);
  if (owner === undefined) return undefined;
  const node = areaAt(tableOf(context, owner.ioas).areas, iova);
  if (node === undefined) return undefined;
  const byte = byteOf(node, iova);
  const index = pageIndex(Number(byte / PAGE_SIZE_BYTES));
  const run = runAt(pagesAt(context, node.value.pages).pinned, index)?.run;
  const endOfRun = BigInt((run?.last ?? index) + 1) * PAGE_SIZE_BYTES;
  const last = iova + endOfRun - byte - 1n;
  return {
    ...throughArea(context, owner, node, iova),
    last: last < node.value.last ? last : node.value.last,
  };
};

/** A range that a domain translates, within one page of memory. */
export type TranslatedSpan = Translated & {
  readonly iova: bigint;
  /** Bytes. */
  readonly length: number;
};

/** Everything that the domain translates, by ascending IOVA. */
export function* translations(context: Context, hwpt: ObjectId): Generator<TranslatedSpan> {
  const owner = hwptAt(context, hwpt);
  if (owner === undefined) return;
  for (const node of nodesOf(tableOf(context, owner.ioas).areas)) {
    let iova = node.key;
    while (iova <= node.value.last) {
      const translated = throughArea(context, owner, node, iova);
      const left = node.value.last - iova + 1n;
      const inPage = BigInt(4096 - translated.offset);
      const length = left < inPage ? left : inPage;
      yield { ...translated, iova, length: Number(length) };
      iova += length;
    }
  }
}
