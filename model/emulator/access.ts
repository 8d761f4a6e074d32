// SPDX-License-Identifier: MIT
// An access of an IOAS: pins its pages or copies to and from them, by IOVA.
// drivers/iommu/iommufd/device.c (iommufd_access_create and what follows).

import { ERRNO } from '../../spec/abi/errno.ts';
import { PAGE_SIZE, PAGE_SIZE_BYTES, U64_MAX } from '../../spec/abi/units.ts';
import type { IommufdContext } from './context.ts';
import { Ioas } from './ioas.ts';
import type { TableAccess } from './iopt/access-list.ts';
import { addAccess, removeAccess } from './iopt/access-pins.ts';
import { accessPages, type Direction } from './iopt/access-rw.ts';
import { type AreaPart, leadingAreas } from './iopt/map.ts';
import { KernelObject } from './objects.ts';
import { lastOf } from './u64.ts';

/** Has the access's owner unpin what it has pinned in [start, start + length). */
export type UnmapNotice = (start: bigint, length: bigint) => void;

export class Access extends KernelObject implements TableAccess {
  readonly context: IommufdContext;
  readonly alignment: bigint;
  listNumber = 0;
  readonly #notice: UnmapNotice;
  #ioas: Ioas | undefined;

  constructor(context: IommufdContext, pinsPages: boolean, notice: UnmapNotice) {
    super();
    this.context = context;
    this.alignment = pinsPages ? PAGE_SIZE_BYTES : 1n;
    this.#notice = notice;
    context.hold();
    context.objects.reserve(this);
    this.users += 1;
    context.objects.publish(this);
  }

  get ioas(): Ioas | undefined {
    return this.#ioas;
  }

  override destroy(): void {
    this.#change(undefined);
    this.context.put();
  }

  /** The owner gives up the access itself. */
  end(): void {
    this.users -= 1;
    this.context.objects.remove(this.id);
  }

  unmapped(start: bigint, length: bigint): void {
    this.#notice(start, length);
  }

  /** 0, -ENOENT, or -EADDRINUSE if an area of the IOAS cannot be accessed. */
  attach(id: number): number {
    const ioas = this.context.objects.find(id, Ioas);
    return ioas === undefined ? -ERRNO.ENOENT : this.#change(ioas);
  }

  detach(): void {
    this.#change(undefined);
  }

  /** Like attach, for an access that is attached already; -ENOENT if it is not. */
  replace(id: number): number {
    return this.#ioas === undefined ? -ERRNO.ENOENT : this.attach(id);
  }

  /** Pins the pages under [iova, iova + length) and appends their frames. 0, or -errno. */
  pin(iova: bigint, length: bigint, write: boolean, frames: number[]): number {
    if (length === 0n) return -ERRNO.EINVAL;
    const last = lastOf(iova, length);
    if (last === undefined) return -ERRNO.EOVERFLOW;
    if (this.#ioas === undefined) return -ERRNO.ENOENT;
    const pinned: AreaPart[] = [];
    let error = -ERRNO.ENOENT;
    for (const part of leadingAreas(this.#ioas.table, iova, last)) {
      error = this.#pinPart(part, part.last === last, write, frames);
      if (error !== 0) break;
      pinned.push(part);
      error = part.last === last ? 0 : -ERRNO.ENOENT;
    }
    if (error !== 0) for (const part of pinned) this.#unpinPart(part);
    return error;
  }

  /** Undoes pin with the same arguments. */
  unpin(iova: bigint, length: bigint): void {
    if (this.#ioas === undefined) return;
    for (const part of leadingAreas(this.#ioas.table, iova, iova + length - 1n)) {
      this.#unpinPart(part);
    }
  }

  /**
   * Copies between `data` and memory at an IOVA. 0, or -errno after copying the areas before the
   * failure.
   */
  copy(iova: bigint, data: Uint8Array, direction: Direction, slow: boolean): number {
    if (data.length === 0) return -ERRNO.EINVAL;
    const last = lastOf(iova, BigInt(data.length));
    if (last === undefined) return -ERRNO.EOVERFLOW;
    if (this.#ioas === undefined) return -ERRNO.ENOENT;
    let done = 0;
    for (const { area, start, last: partLast } of leadingAreas(this.#ioas.table, iova, last)) {
      if (area.preventAccess) return -ERRNO.EINVAL;
      if (!this.#permits(area.permission, direction === 'write')) return -ERRNO.EPERM;
      const bytes = data.subarray(done, done + Number(partLast - start + 1n));
      const error = accessPages(area.pages, area.startByte(start), bytes, direction, slow);
      if (error !== 0) return error;
      done += bytes.length;
    }
    return done === data.length ? 0 : -ERRNO.ENOENT;
  }

  #permits(
    permission: { readonly readable: boolean; readonly writable: boolean },
    write: boolean,
  ): boolean {
    if (!write) return permission.readable;
    const { defects } = this.context.kernel;
    return permission.writable || defects.has('access-write-ignores-permission');
  }

  #pinPart(part: AreaPart, isLast: boolean, write: boolean, frames: number[]): number {
    const { area, start, last } = part;
    const startsPage = area.startByte(start) % PAGE_SIZE_BYTES === 0n;
    const endsPage = area.startByte(area.last) % PAGE_SIZE_BYTES === BigInt(PAGE_SIZE - 1);
    if (area.preventAccess || !startsPage || (!isLast && !endsPage)) return -ERRNO.EINVAL;
    if (!this.#permits(area.permission, write)) return -ERRNO.EPERM;
    return addAccess(area, area.index(start), area.index(last), write, frames);
  }

  #unpinPart({ area, start, last }: AreaPart): void {
    removeAccess(area, area.index(start), area.index(last));
  }

  #change(ioas: Ioas | undefined): number {
    const old = this.#ioas;
    if (old === ioas) return 0;
    const before = this.listNumber;
    if (ioas !== undefined) {
      const error = ioas.table.addAccess(this);
      if (error !== 0) return error;
      ioas.users += 1;
    }
    if (old !== undefined) {
      this.#notice(0n, U64_MAX);
      old.table.removeAccess(before);
      old.users -= 1;
    }
    this.#ioas = ioas;
    return 0;
  }
}
