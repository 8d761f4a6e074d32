// SPDX-License-Identifier: MIT
// Where structs are during calls: in variables, as people write it, if the kernel sees no difference.

import type { Program } from '../../model/programs/program.ts';
import { isInHole } from '../safety/permitted.ts';
import { valuesOf } from '../text/handle-names.ts';
import { offsetOf, touchesStructs } from './arena-use.ts';
import { type Ioctl, isName } from './c-ioctl.ts';
import { belongsTo } from './c-names.ts';
import { layoutOf, shownOf, tailOf } from './c-struct-argument.ts';

const STRUCTS_END = 0x2000n;

/** Whether the kernel sees no difference between the struct in its place and in a variable. */
export const mayBeVariable = (operation: Ioctl, base: bigint): boolean => {
  const { argument, command } = operation;
  if (argument.kind !== 'struct' || argument.length !== undefined) return false;
  const offset = offsetOf(argument.at, base);
  const bytes = BigInt(shownOf(argument) + tailOf(argument).length);
  const sizeField = layoutOf(argument).fields.find(
    ({ kind }) => kind === 'size' || kind === 'argsz',
  );
  const size = sizeField === undefined ? 0n : (argument.fields[sizeField.name] ?? 0n);
  return (
    offset !== undefined &&
    offset >= 0n &&
    offset + bytes <= STRUCTS_END &&
    belongsTo(argument.layout, command) &&
    // Its kernel reads past the struct.
    argument.layout !== 'VFIO_IOMMU_DIRTY_PAGES' &&
    typeof size === 'bigint' &&
    size <= bytes
  );
};

const isAtStructs = (operation: Ioctl, base: bigint): boolean => {
  const { argument } = operation;
  if (argument.kind === 'plain') return false;
  const offset = offsetOf(argument.at, base);
  return offset !== undefined && offset >= -STRUCTS_END && offset < STRUCTS_END;
};

/** Whether no call reads what an earlier one left at the place of structs. */
export const structsAreApart = (program: Program, base: bigint): boolean =>
  program.every((operation) => {
    if (operation.op !== 'ioctl') return !touchesStructs(operation, base);
    if (isName(operation)) return true;
    if (touchesStructs(operation, base)) return false;
    return mayBeVariable(operation, base) || !isAtStructs(operation, base);
  });

/** Whether a call is given an address that is not one of a variable: of the arena, or of the hole around it. */
export const leavesVariables = (program: Program, base: bigint): boolean =>
  program.some((operation) =>
    valuesOf(operation).some((value) => {
      if (operation.op === 'ioctl' && operation.argument.kind === 'struct') {
        if (value === operation.argument.at && mayBeVariable(operation, base)) return false;
      }
      return typeof value === 'bigint' ? isInHole(BigInt.asUintN(64, value)) : 'arena' in value;
    }),
  );
