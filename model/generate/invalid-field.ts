// SPDX-License-Identifier: MIT
// Makes one field of any call invalid: each check of a kernel refuses something that a correct
// program never passes.

import type { Field, Kind } from '../../spec/abi/layout.ts';
import { U64_MAX } from '../../spec/abi/units.ts';
import type { OpenFile } from '../../spec/state/world.ts';
import {
  ARRAY_LENGTH,
  ARRAY_OFFSET,
  NO_ACCESS_OFFSET,
  READ_ONLY_OFFSET,
} from '../programs/arena.ts';
import type { ProgramBuilder } from '../programs/builder.ts';
import { LAYOUTS, type Operation, type Value } from '../programs/program.ts';
import { isLostMap } from './end-maps.ts';
import type { Rng } from './rng.ts';
import { generateStructAddress, wrap } from './values.ts';

const PAGE = 4096n;
const TEST_COMMAND = 0x3ba0;

/** Invalid values of number fields, besides the valid one. */
const INVALID_NUMBERS: Readonly<Partial<Record<Kind, readonly bigint[]>>> = {
  u16: [0n, 1n, 0xffffn],
  reserved16: [1n, 0x8000n],
  u32: [0n, 1n, 2n, 0x8000_0000n, 0xffff_ffffn],
  reserved: [1n, 0x8000_0000n],
  id: [0n, 1n, 2n, 3n, 4n, 99n, 99n, 0xffff_ffffn],
  operation: [0n, 1n, 2n, 3n, 4n, 0xffff_ffffn],
  u64: [0n, 1n, 2n, 1n << 63n, U64_MAX],
};

const ADDRESSES: readonly Value[] = [
  0n,
  U64_MAX - 7n,
  { arena: NO_ACCESS_OFFSET },
  { arena: READ_ONLY_OFFSET },
  { arena: ARRAY_OFFSET + ARRAY_LENGTH - 8n },
];

/** What invalid values are made from; the descriptors are those that are open. */
export type Source = {
  readonly rng: Rng;
  readonly builder: ProgramBuilder;
  readonly descriptors: () => readonly { readonly value: Value; readonly file: OpenFile }[];
};

const near = (rng: Rng, value: bigint): bigint =>
  wrap(rng.of([0n, value + 1n, value + PAGE, value - PAGE, -PAGE, -1n, -2n, value | (1n << 63n)]));

/**
 * Descriptors that the call may have. It was decided before which groups fit a legacy container;
 * maps of files other than memfds are unspecified.
 */
const mayName = (layout: string, file: OpenFile): boolean =>
  layout === 'IOMMU_IOAS_MAP_FILE' ? file.kind === 'memfd' : file.kind !== 'container';

const invalidValue = (
  { rng, builder, descriptors }: Source,
  layout: string,
  { kind, width }: Field,
  before: Value,
): Value => {
  const value = builder.valueOf(before);
  switch (kind) {
    case 'flags':
      // Adds or removes one flag.
      return BigInt.asUintN(32, value ^ (1n << BigInt(rng.of([0, 1, 2, 3, 4, 5, 16, 31]))));
    case 'size':
    case 'argsz':
      return BigInt.asUintN(32, rng.of([0n, 4n, value - 1n, value - 4n, value - 8n, value + 8n]));
    case 'fd': {
      const open = descriptors().filter(({ file }) => mayName(layout, file));
      return open.length === 0 || rng.chance(1, 3)
        ? rng.of([99n, 0xffff_ffffn])
        : rng.of(open).value;
    }
    case 'address':
      return rng.of(ADDRESSES);
    case 'iova':
    case 'length':
      return near(rng, value);
    default:
      return BigInt.asUintN(8 * width, rng.of(INVALID_NUMBERS[kind] ?? [0n]));
  }
};

/** The operation with one field changed, or its struct moved; unchanged if it passes no struct. */
export const withInvalidField = (source: Source, operation: Operation): Operation => {
  if (operation.op !== 'ioctl' || operation.argument.kind !== 'struct') return operation;
  const { rng, builder } = source;
  const { argument } = operation;
  const layout = LAYOUTS.get(argument.layout);
  if (layout === undefined) return operation;
  if (rng.chance(1, 6)) {
    return {
      ...operation,
      argument: { ...argument, at: generateStructAddress(rng, layout.size, true) },
    };
  }
  const isTest = operation.command === TEST_COMMAND;
  const candidates = layout.fields.filter(
    ({ name }) => !isTest || (name !== 'op' && name !== 'size'),
  );
  if (candidates.length === 0) return operation;
  const field = rng.of(candidates);
  const changed = invalidValue(source, argument.layout, field, argument.fields[field.name] ?? 0n);
  const fields = { ...argument.fields, [field.name]: changed };
  return isLostMap(builder, argument.layout, fields)
    ? operation
    : { ...operation, argument: { ...argument, fields } };
};
