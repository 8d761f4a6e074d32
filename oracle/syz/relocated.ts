// SPDX-License-Identifier: MIT
// Operations whose memory lies at offsets of syzkaller's data area, with that memory in the arena.

import { ARENA_LENGTH } from '../../model/programs/arena.ts';
import type { Argument, Operation, Value } from '../../model/programs/program.ts';
import { BadInput } from '../trace/bad-input.ts';
import type { LinedOperation } from './convert-context.ts';
import { AREA_LENGTH } from './data-area.ts';
import { firstMemory, isFirstChange } from './first-memory.ts';
import { NotCarriedOver } from './not-carried-over.ts';
import { Relocation } from './relocation.ts';
import { type Span, spansOf } from './spans.ts';

const valueIn = (value: Value, relocation: Relocation): Value =>
  typeof value === 'object' && 'arena' in value
    ? { arena: relocation.offsetOf(value.arena) }
    : value;

const argumentIn = (argument: Argument, relocation: Relocation): Argument => {
  switch (argument.kind) {
    case 'plain':
      return { ...argument, value: valueIn(argument.value, relocation) };
    case 'bytes':
      return { ...argument, at: valueIn(argument.at, relocation) };
    case 'struct': {
      const fields = Object.fromEntries(
        Object.entries(argument.fields).map(([name, value]) => [name, valueIn(value, relocation)]),
      );
      const also = argument.also?.map((put) => ({ ...put, at: valueIn(put.at, relocation) }));
      return {
        ...argument,
        at: valueIn(argument.at, relocation),
        fields,
        ...(also === undefined ? {} : { also }),
      };
    }
  }
};

function* operationIn(operation: Operation, relocation: Relocation): Generator<Operation> {
  if (operation.op === 'ioctl') {
    yield { ...operation, argument: argumentIn(operation.argument, relocation) };
  } else if (operation.op === 'store') {
    yield { ...operation, offset: relocation.offsetOf(operation.offset) };
  } else if (operation.op === 'mmap' || operation.op === 'munmap') {
    let part = 0;
    for (const range of relocation.partsOf(operation)) {
      const label = part === 0 ? operation.label : `${operation.label}_${part}`;
      yield { ...operation, label, ...range };
      part += 1;
    }
  } else {
    yield operation;
  }
}

/** The ranges of mmap and munmap count where they are within the arena: programs may map the whole area at once. */
const spansWith = (operation: Operation): readonly Span[] =>
  (operation.op === 'mmap' || operation.op === 'munmap') &&
  operation.offset + operation.length <= ARENA_LENGTH
    ? [operation]
    : [...spansOf(operation)];

/** Where the area ends after the program's first changes of memory. */
const areaEndOf = (all: readonly LinedOperation[]): bigint => {
  let end = AREA_LENGTH;
  for (const { operation } of all) {
    if (!isFirstChange(operation)) break;
    const isAtEnd = operation.offset + operation.length === AREA_LENGTH;
    if (isAtEnd) end = operation.op === 'munmap' ? operation.offset : AREA_LENGTH;
  }
  return end;
};

/** An error where the memory is more than an arena has. */
const relocationFor = (
  all: readonly LinedOperation[],
  areaEnd: bigint,
): Relocation | NotCarriedOver => {
  try {
    return new Relocation(
      all.flatMap(({ operation }) => spansWith(operation)),
      areaEnd,
    );
  } catch (error) {
    if (error instanceof NotCarriedOver) return error;
    throw error;
  }
};

/** Throws BadInput, with the line from which on the memory is too much. */
const relocationOf = (file: string, all: readonly LinedOperation[]): Relocation => {
  const areaEnd = areaEndOf(all);
  const relocation = relocationFor(all, areaEnd);
  if (relocation instanceof Relocation) return relocation;
  let fits = 0;
  let tooMany = all.length;
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >> 1;
    if (relocationFor(all.slice(0, middle), areaEnd) instanceof Relocation) fits = middle;
    else tooMany = middle;
  }
  throw new BadInput(file, all[tooMany - 1]?.line ?? 0, relocation.message);
};

/** The operations with their lines, behind those that make the first memory. Throws BadInput. */
export const relocated = (
  file: string,
  all: readonly LinedOperation[],
): readonly LinedOperation[] => {
  const relocation = relocationOf(file, all);
  const moved = all.flatMap(({ line, operation }) =>
    [...operationIn(operation, relocation)].map((one) => ({ line, operation: one })),
  );
  const begins = moved.findIndex(({ operation }) => !isFirstChange(operation));
  const first = moved.slice(0, begins < 0 ? moved.length : begins);
  const changes = first.flatMap(({ operation }) => (isFirstChange(operation) ? [operation] : []));
  const line = all[0]?.line ?? 1;
  return [
    ...firstMemory(relocation.used, changes).map((operation) => ({ line, operation })),
    ...moved.slice(first.length),
  ];
};
