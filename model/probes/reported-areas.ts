// SPDX-License-Identifier: MIT
// Every area that a program had at some time, so that a probe can find out whether a domain still
// translates an unmapped one: it must give the memory that was mapped.

import type { ObjectId } from '../../spec/abi/units.ts';
import { each, nodesOf } from '../../spec/collections/ordered-map.ts';
import { firstOverlapping } from '../../spec/state/area.ts';
import { pagesAt, tableOf } from '../../spec/state/context.ts';
import type { FileId } from '../../spec/state/files.ts';
import type { IoPagetable } from '../../spec/state/io-pagetable.ts';
import { openFile, type World } from '../../spec/state/world.ts';

/**
 * `address` is the program's address of the first byte; `iova` and `last` are inclusive, in bytes.
 */
export type ReportedArea = {
  readonly iova: bigint;
  readonly last: bigint;
  readonly address: bigint;
};

export class ReportedAreas {
  readonly #tables = new Map<string, IoPagetable>();
  readonly #areas = new Map<string, Map<string, ReportedArea>>();

  /** Adds the areas of the world. */
  add(world: World): void {
    for (const { key: file, value } of nodesOf(world.files)) {
      if (value.kind !== 'iommufd' || value.context.untracked !== undefined) continue;
      const { context } = value;
      each(context.objects, (id, object) => {
        if (object.kind !== 'ioas') return;
        const key = keyOf(file, id);
        const { table } = object;
        if (this.#tables.get(key) === table) return;
        this.#tables.set(key, table);
        const seen = this.#areas.get(key) ?? new Map<string, ReportedArea>();
        this.#areas.set(key, seen);
        each(table.areas, (iova, { last, pages, startByte }) => {
          const { source } = pagesAt(context, pages);
          if (source.kind !== 'user') return;
          const address = source.start + startByte;
          seen.set(`${iova} ${last} ${address}`, { iova, last, address });
        });
      });
    }
  }

  /** The areas of an IOAS that are wholly unmapped, the latest first. */
  gone(world: World, file: FileId, ioas: ObjectId): readonly ReportedArea[] {
    const open = openFile(world, file);
    if (open?.kind !== 'iommufd') return [];
    const { areas } = tableOf(open.context, ioas);
    return [...(this.#areas.get(keyOf(file, ioas))?.values() ?? [])]
      .filter(({ iova, last }) => firstOverlapping(areas, iova, last) === undefined)
      .reverse();
  }
}

const keyOf = (file: FileId, ioas: ObjectId): string => `${file}:${ioas}`;
