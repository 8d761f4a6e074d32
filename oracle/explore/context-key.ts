// SPDX-License-Identifier: MIT
// The part of a world's key for an iommufd.

import type { ObjectId } from '../../spec/abi/units.ts';
import { each, sizeOf, valueAt } from '../../spec/collections/ordered-map.ts';
import type { Access, Context, Device, IommufdObject } from '../../spec/state/context.ts';
import type { IoPagetable, Reserved } from '../../spec/state/io-pagetable.ts';
import type { Pages } from '../../spec/state/pages.ts';
import type { IovaRange } from '../../spec/terms/platform.ts';
import { type NamedObject, OBJECT_RANKS, positionOf } from './canonical-names.ts';
import { writeDomain } from './domain-key.ts';
import type { KeyWriter } from './key-writer.ts';
import { Numbers } from './numbers.ts';

const CHARGES = { none: 0, user: 1, process: 2 } as const;

export class ContextKey {
  readonly #writer: KeyWriter;
  /** Shared with the rest of the world. */
  readonly #backings: Numbers;
  readonly #pages = new Numbers();
  readonly #groups: string[] = [];
  /** The objects of the current iommufd. */
  #objects: readonly NamedObject[] = [];

  constructor(writer: KeyWriter, backings: Numbers) {
    this.#writer = writer;
    this.#backings = backings;
  }

  /** Groups of mock devices are numbered in the order in which they are written. */
  clear(): void {
    this.#groups.length = 0;
  }

  /** `objects` are all its objects, in canonical order. */
  write(context: Context, objects: readonly NamedObject[]): void {
    const writer = this.#writer;
    this.#pages.clear();
    this.#objects = objects;
    writer.byte(
      (context.noIommu ? 1 : 0) |
        (context.accounting === 'user' ? 2 : 0) |
        (context.untrackedCaches ? 4 : 0) |
        (context.untracked === undefined ? 0 : 8),
    );
    if (context.untracked !== undefined) writer.text(context.untracked);
    this.#position(context.compatIoas);
    writer.number(objects.length);
    for (const { object } of objects) {
      writer.byte(OBJECT_RANKS[object.kind]);
      this.#object(context, object);
    }
    writer.number(sizeOf(context.untrackedUsers));
    each(context.untrackedUsers, (id, by) => {
      this.#position(id);
      writer.text(by);
    });
    // Differs if there are pages that no area maps.
    writer.number(sizeOf(context.pages));
  }

  #position(id: ObjectId | undefined): void {
    const position = id === undefined ? 0 : positionOf(this.#objects, id) + 1;
    this.#writer.number(position);
    // A reference to an object that is gone, which breaks a law, is written by its id.
    if (position === 1) this.#writer.number(id as number);
  }

  #object(context: Context, object: IommufdObject): void {
    const writer = this.#writer;
    switch (object.kind) {
      case 'ioas':
        this.#table(context, object.table);
        return;
      case 'hwpt':
        this.#position(object.ioas);
        writer.flag(object.automatic);
        writer.flag(object.tracking);
        writer.flag(object.dirty === 'unknown');
        this.#ranges(object.dirty === 'unknown' ? [] : object.dirty);
        writeDomain(writer, object.domain);
        return;
      case 'device':
        this.#device(object);
        return;
      case 'selftest':
        this.#position(object.device);
        return;
      case 'access':
        this.#access(object);
        return;
      case 'unspecified':
        writer.text(object.madeBy);
    }
  }

  #device(device: Device): void {
    const writer = this.#writer;
    writer.text(device.iommu);
    const isMock = device.mock !== undefined;
    writer.flag(isMock);
    if (isMock) writer.number(this.#group(device.group));
    else writer.text(device.group);
    this.#ranges(device.reserved);
    writer.flag(device.enforcesCacheCoherency);
    writer.flag(device.mock?.noDirty === true);
    writer.flag(device.mock?.hugePages === true);
    writer.flag(device.mock?.pasids === true);
    this.#position(device.hwpt);
  }

  #group(name: string): number {
    const known = this.#groups.indexOf(name);
    return known === -1 ? this.#groups.push(name) - 1 : known;
  }

  /** Pins are written in order: a later one has a greater id. */
  #access({ needsPins, ioas, pins }: Access): void {
    const writer = this.#writer;
    writer.flag(needsPins);
    this.#position(ioas);
    writer.number(pins.length);
    for (const { iova, length } of pins) {
      writer.u64(iova);
      writer.u64(length);
    }
  }

  #table(context: Context, table: IoPagetable): void {
    const writer = this.#writer;
    writer.number(sizeOf(table.areas));
    each(table.areas, (iova, area) => {
      writer.u64(iova);
      writer.u64(area.last);
      writer.u64(area.startByte);
      writer.byte((area.readable ? 1 : 0) | (area.writable ? 2 : 0));
      this.#pagesOf(context, area.pages);
    });
    writer.number(table.reserved.length);
    for (const reserved of table.reserved) this.#reserved(reserved);
    this.#ranges(table.reservedSpans);
    this.#ranges(table.allowed);
    writer.u64(table.alignment);
    writer.flag(table.largePagesDisabled);
    for (const users of [table.domains, table.slots, table.accesses]) {
      writer.number(users.length);
      for (const id of users) this.#position(id);
    }
  }

  #reserved({ start, last, by }: Reserved): void {
    const writer = this.#writer;
    writer.u64(start);
    writer.u64(last);
    writer.byte(by.kind === 'test' ? 0 : by.kind === 'domain' ? 1 : 2);
    if (by.kind !== 'test') this.#position(by.kind === 'domain' ? by.hwpt : by.device);
  }

  #ranges(ranges: readonly IovaRange[]): void {
    this.#writer.number(ranges.length);
    for (const { start, last } of ranges) {
      this.#writer.u64(start);
      this.#writer.u64(last);
    }
  }

  /** Pages are written for the first area that maps them; for further areas, only their number. */
  #pagesOf(context: Context, id: number): void {
    const writer = this.#writer;
    const { size } = this.#pages;
    const number = this.#pages.of(id);
    writer.number(number);
    if (number < size) return;
    const pages = valueAt(context.pages, id);
    writer.flag(pages !== undefined);
    if (pages !== undefined) this.#newPages(pages);
  }

  #newPages(pages: Pages): void {
    const writer = this.#writer;
    const { source } = pages;
    writer.flag(source.kind === 'file');
    writer.u64(source.start);
    if (source.kind === 'file') {
      writer.number(this.#backings.of(source.backing));
      writer.u64(source.length);
    }
    writer.number(pages.process);
    writer.byte(CHARGES[pages.charge] | (pages.writable ? 4 : 0));
    writer.number(pages.pageCount);
    writer.number(pages.areas);
    writer.number(sizeOf(pages.pinned));
    each(pages.pinned, (first, run) => {
      writer.number(first);
      writer.number(run.last);
      writer.number(run.users);
      writer.number(this.#backings.of(run.backing));
      writer.number(run.page);
    });
  }
}
