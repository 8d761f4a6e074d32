// Whether a program asks for something that the kernel subject refuses, as far as that can be told before it
// runs. The subject looks again at every call: a program's numbers may come from earlier calls.

import { ARENA_BASE, ARENA_LENGTH } from '../../../model/programs/arena.ts';
import {
  type Argument,
  LAYOUTS,
  type Operation,
  type Program,
  type Value,
} from '../../../model/programs/program.ts';
import { encode } from '../../../spec/abi/layout.ts';
import { isSafeAddress, mayCommand, mayOpen, takesValue } from './safety.ts';
import { inputsOfCall } from './struct-inputs.ts';

/** Nothing where only the run can tell. */
const known = (value: Value): bigint | undefined => {
  if (typeof value === 'bigint') return BigInt.asUintN(64, value);
  return 'arena' in value ? BigInt.asUintN(64, ARENA_BASE + value.arena) : undefined;
};

/** The struct's bytes, with zeros where only the run can tell. */
const bytesOf = (argument: Argument): Buffer => {
  if (argument.kind === 'plain') return Buffer.alloc(0);
  if (argument.kind === 'bytes') return Buffer.from(argument.hex, 'hex');
  const layout = LAYOUTS.get(argument.layout);
  if (layout === undefined) return Buffer.alloc(0);
  const values: Record<string, bigint> = {};
  for (const { name, width } of layout.fields) {
    const value = argument.fields[name];
    if (value !== undefined) values[name] = BigInt.asUintN(width * 8, known(value) ?? 0n);
  }
  const head = encode(layout, values).subarray(0, argument.length);
  return Buffer.concat([head, Buffer.from(argument.tail ?? '', 'hex')]);
};

const refusedIoctl = (operation: Extract<Operation, { op: 'ioctl' }>): string | undefined => {
  const { command, argument } = operation;
  if (!mayCommand(command)) return `The command 0x${command.toString(16)} is not of type ';'.`;
  const address = known(argument.kind === 'plain' ? argument.value : argument.at);
  if (address !== undefined && !isSafeAddress(address) && !takesValue(command)) {
    return `The argument 0x${address.toString(16)} may be an address of the subject's own memory.`;
  }
  const bytes = bytesOf(argument);
  const operationNumber = bytes.length < 8 ? 0 : bytes.readUInt32LE(4);
  for (const { offset, flag } of inputsOfCall(command, operationNumber)?.pointers ?? []) {
    if (bytes.length < offset + 8) continue;
    if (flag !== undefined && (operationNumber & flag) === 0) continue;
    const pointer = bytes.readBigUInt64LE(offset);
    if (!isSafeAddress(pointer)) {
      return `The pointer 0x${pointer.toString(16)} at byte ${offset} may reach the subject's own memory.`;
    }
  }
  return undefined;
};

const refusedRange = (offset: bigint, length: bigint): string | undefined =>
  offset < 0n || length < 0n || offset + length > ARENA_LENGTH
    ? `The mapping at 0x${offset.toString(16)} does not lie in the arena.`
    : undefined;

/** Why the subject would refuse the operation; nothing where it would not, or where only the run can tell. */
export const refusalOf = (operation: Operation): string | undefined => {
  switch (operation.op) {
    case 'open':
      return mayOpen(operation.path)
        ? undefined
        : `${operation.path} is not a file of VFIO or iommufd.`;
    case 'ioctl':
      return refusedIoctl(operation);
    case 'mmap':
    case 'munmap':
      return refusedRange(operation.offset, operation.length);
    default:
      return undefined;
  }
};

/** The first operation that the subject would refuse, and why. */
export const firstRefusal = (
  program: Program,
): { readonly index: number; readonly reason: string } | undefined => {
  for (const [index, operation] of program.entries()) {
    const reason = refusalOf(operation);
    if (reason !== undefined) return { index, reason };
  }
  return undefined;
};
