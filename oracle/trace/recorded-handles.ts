// SPDX-License-Identifier: MIT
// Finds the handles of a recording's numbers: the earlier call that returned a descriptor, an object id, a pin or
// an IOVA. Another run may return other numbers.

import type { Label, ResultOf, Value } from '../../model/programs/program.ts';
import { decode, type Field, type Layout } from '../../spec/abi/layout.ts';

/** Fields that the kernel writes, in addition to those named "out_...". */
const WRITTEN: Readonly<Record<string, readonly string[]>> = {
  IOMMU_IOAS_MAP: ['iova'],
  IOMMU_IOAS_MAP_FILE: ['iova'],
  IOMMU_IOAS_COPY: ['dst_iova'],
  IOMMU_VFIO_IOAS: ['ioas_id'],
  MOCK_DOMAIN_REPLACE: ['pt_id'],
  VFIO_DEVICE_ATTACH_IOMMUFD_PT: ['pt_id'],
};

/** In these test operations, the header's id is the descriptor of an access. */
const ID_IS_DESCRIPTOR = new Set([
  'ACCESS_PAGES',
  'DESTROY_ACCESS_PAGES',
  'ACCESS_RW',
  'ACCESS_REPLACE_IOAS',
]);

/** A successful call on the descriptor `file`: its struct before and after. */
export type StructOutput = {
  readonly struct: string;
  readonly layout: Layout;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  readonly file: number;
  readonly label: Label;
};

type Kind = 'descriptor' | 'object' | 'pin' | 'iova';

const kindOf = (struct: string, field: Field): Kind | undefined => {
  if (field.kind === 'fd') return 'descriptor';
  if (field.name === 'id' && ID_IS_DESCRIPTOR.has(struct)) return 'descriptor';
  if (field.kind === 'id') return 'object';
  if (field.name.endsWith('access_pages_id')) return 'pin';
  return field.kind === 'iova' ? 'iova' : undefined;
};

const isWritten = (struct: string, field: Field): boolean =>
  field.name.startsWith('out_') || WRITTEN[struct]?.includes(field.name) === true;

export class RecordedHandles {
  readonly #given = new Map<string, ResultOf>();

  /** Objects and IOVAs belong to one iommufd: another iommufd has another object of the same number. */
  #key(kind: Kind, file: number, value: bigint): string {
    return kind === 'descriptor' ? `${kind} ${value}` : `${kind} ${file} ${value}`;
  }

  /** A call returned a descriptor. */
  gaveDescriptor(fd: number, label: Label): void {
    this.#given.set(this.#key('descriptor', 0, BigInt(fd)), { from: label, out: 'result' });
  }

  dropDescriptor(fd: number): void {
    this.#given.delete(this.#key('descriptor', 0, BigInt(fd)));
  }

  descriptor(fd: number): Value {
    return (
      this.#given.get(this.#key('descriptor', 0, BigInt(fd))) ?? BigInt.asUintN(64, BigInt(fd))
    );
  }

  /** Adds the fields that the kernel wrote. */
  gaveFields({ struct, layout, before, after, file, label }: StructOutput): void {
    const passed = decode(layout, before) as Readonly<Record<string, number | bigint>>;
    const values = decode(layout, after) as Readonly<Record<string, number | bigint>>;
    for (const field of layout.fields) {
      const { name } = field;
      const kind = kindOf(struct, field);
      if (kind === undefined || !isWritten(struct, field)) continue;
      // A value that the program stored there stays a number.
      if (!name.startsWith('out_') && passed[name] === values[name]) continue;
      const key = this.#key(kind, file, BigInt(values[name] ?? 0));
      this.#given.set(key, { from: label, out: name });
    }
  }

  /** A field's value: a handle if an earlier call returned the number. */
  value(struct: string, field: Field, value: bigint, file: number): Value {
    const kind = kindOf(struct, field);
    // The kernel may replace the object id in the same field.
    const isPassed = kind === 'object' && !field.name.startsWith('out_');
    if (kind === undefined || (isWritten(struct, field) && !isPassed)) return value;
    return this.#given.get(this.#key(kind, file, value)) ?? value;
  }
}
