// SPDX-License-Identifier: MIT
// Dangling handles: of operations that are missing or come later, and of outputs that an operation
// does not have. Their value is 0.

import { type Argument, LAYOUTS, type Operation, type Program, type Value } from './program.ts';

/** The operations so far by label; the latest of a label counts. */
type Known = ReadonlyMap<string, Operation>;

/** Whether the operation has an output of that name, which is 0 if it fails. */
export const mayGive = (operation: Operation | undefined, out: string): boolean => {
  if (operation === undefined) return false;
  if (out === 'result') return true;
  if (operation.op !== 'ioctl' || operation.argument.kind !== 'struct') return false;
  const layout = LAYOUTS.get(operation.argument.layout);
  return layout?.fields.some(({ name }) => name === out) === true;
};

const value = (one: Value, known: Known): Value =>
  typeof one === 'object' && 'from' in one && !mayGive(known.get(one.from), one.out) ? 0n : one;

const argument = (one: Argument, known: Known): Argument => {
  switch (one.kind) {
    case 'plain':
      return { ...one, value: value(one.value, known) };
    case 'bytes':
      return { ...one, at: value(one.at, known) };
    case 'struct': {
      const fields: Record<string, Value> = {};
      for (const [name, field] of Object.entries(one.fields)) fields[name] = value(field, known);
      const also = one.also?.map(({ at, words }) => ({
        at: value(at, known),
        words: words.map((word) => value(word, known)),
      }));
      return {
        ...one,
        at: value(one.at, known),
        fields,
        ...(also === undefined ? {} : { also }),
      };
    }
  }
};

const operation = (one: Operation, known: Known): Operation => {
  switch (one.op) {
    case 'close':
      return { ...one, fd: value(one.fd, known) };
    case 'dma':
      return { ...one, fd: value(one.fd, known), iova: value(one.iova, known) };
    case 'ioctl':
      return { ...one, fd: value(one.fd, known), argument: argument(one.argument, known) };
    case 'mmap':
      return one.backing.kind === 'memfd'
        ? { ...one, backing: { ...one.backing, fd: value(one.backing.fd, known) } }
        : one;
    default:
      return one;
  }
};

/** The same program with 0 for each dangling handle. */
export const withoutDangling = (program: Program): Program => {
  const known = new Map<string, Operation>();
  return program.map((one) => {
    const fixed = operation(one, known);
    known.set(one.label, fixed);
    return fixed;
  });
};
