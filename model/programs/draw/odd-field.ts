// One field of a call that is not as it should be, whatever the call: each of a kernel's checks refuses something that a
// program which means well never passes.

import type { Field, Kind } from '../../../spec/abi/layout.ts';
import { U64_MAX } from '../../../spec/abi/units.ts';
import type { OpenFile } from '../../../spec/state/world.ts';
import { ARRAY_LENGTH, ARRAY_OFFSET, NO_ACCESS_OFFSET, READ_ONLY_OFFSET } from '../arena.ts';
import { LAYOUTS, type Operation, type Value } from '../program.ts';
import { type Dice, drawStructPlace, wrap } from '../values.ts';
import { isLostMap } from './end-maps.ts';
import type { Scene } from './scene.ts';

const PAGE = 4096n;
const TEST_COMMAND = 0x3ba0;

/** What a field may be that is a number, beside what it was. */
const ODD_NUMBERS: Readonly<Partial<Record<Kind, readonly bigint[]>>> = {
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

const near = (dice: Dice, value: bigint): bigint =>
  wrap(dice.of([0n, value + 1n, value + PAGE, value - PAGE, -PAGE, -1n, -2n, value | (1n << 63n)]));

/**
 * Descriptors that the call may name: which groups fit a legacy container was decided before, and of a file that is no
 * memfd it is not said what a map of it comes to.
 */
const mayName = (layout: string, file: OpenFile): boolean =>
  layout === 'IOMMU_IOAS_MAP_FILE' ? file.kind === 'memfd' : file.kind !== 'container';

const oddValue = (scene: Scene, layout: string, { kind, width }: Field, before: Value): Value => {
  const { dice } = scene;
  const value = scene.draft.valueOf(before);
  switch (kind) {
    case 'flags':
      // One flag more or less.
      return BigInt.asUintN(32, value ^ (1n << BigInt(dice.of([0, 1, 2, 3, 4, 5, 16, 31]))));
    case 'size':
    case 'argsz':
      return BigInt.asUintN(32, dice.of([0n, 4n, value - 1n, value - 4n, value - 8n, value + 8n]));
    case 'fd': {
      const open = scene.descriptors().filter(({ file }) => mayName(layout, file));
      return open.length === 0 || dice.chance(1, 3)
        ? dice.of([99n, 0xffff_ffffn])
        : dice.of(open).value;
    }
    case 'address':
      return dice.of(ADDRESSES);
    case 'iova':
    case 'length':
      return near(dice, value);
    default:
      return BigInt.asUintN(8 * width, dice.of(ODD_NUMBERS[kind] ?? [0n]));
  }
};

/** The operation with one field changed, or put elsewhere; itself where it passes no struct. */
export const withOddField = (scene: Scene, operation: Operation): Operation => {
  if (operation.op !== 'ioctl' || operation.argument.kind !== 'struct') return operation;
  const { dice } = scene;
  const { argument } = operation;
  const layout = LAYOUTS.get(argument.layout);
  if (layout === undefined) return operation;
  if (dice.chance(1, 6)) {
    return {
      ...operation,
      argument: { ...argument, at: drawStructPlace(dice, layout.size, true) },
    };
  }
  const isTest = operation.command === TEST_COMMAND;
  const fields = layout.fields.filter(({ name }) => !isTest || (name !== 'op' && name !== 'size'));
  if (fields.length === 0) return operation;
  const field = dice.of(fields);
  const odd = oddValue(scene, argument.layout, field, argument.fields[field.name] ?? 0n);
  const changed = { ...argument.fields, [field.name]: odd };
  return isLostMap(scene, argument.layout, changed)
    ? operation
    : { ...operation, argument: { ...argument, fields: changed } };
};
