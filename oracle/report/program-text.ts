// SPDX-License-Identifier: MIT
// A program as short readable text: one line for each operation, with names for handles.

import { match } from 'ts-pattern';
import { REGIONS } from '../../model/programs/arena.ts';
import {
  type Argument,
  LAYOUTS,
  type Operation,
  type Program,
  type Value,
} from '../../model/programs/program.ts';
import { bytesOfHex } from '../../spec/abi/bytes-text.ts';
import type { Field, Layout } from '../../spec/abi/layout.ts';
import { IOMMU_TEST_CMD } from '../../spec/abi/native.ts';
import { TEST_OPERATIONS } from '../../spec/abi/test.ts';
import {
  VFIO_DEVICE_BIND_IOMMUFD,
  VFIO_DEVICE_DETACH_IOMMUFD_PT,
  VFIO_GROUP_GET_DEVICE_FD,
  VFIO_GROUP_GET_STATUS,
} from '../../spec/abi/vfio.ts';
import type { OpenFile } from '../../spec/state/world.ts';
import { shapeOf } from '../decode/call-shape.ts';
import { fieldText } from '../text/field-text.ts';
import { type HandleNames, handleNamesOf } from '../text/handle-names.ts';
import { columns } from '../text/lines.ts';
import { bytesText, count, hex, length as lengthText } from '../text/quantities.ts';
import { extensionName } from '../text/value-names.ts';
import { BYTES_IN_LINE } from '../text/verbosity.ts';
import { visible } from '../text/visible.ts';

const TEST_NUMBERS = new Map(TEST_OPERATIONS.map(({ op, name }) => [name as string, op]));

/** "data+0x1000": an arena offset by the name of its region. */
const placeText = (offset: bigint): string => {
  const region = REGIONS.find(
    (candidate) => offset >= candidate.offset && offset < candidate.offset + candidate.length,
  );
  if (region === undefined)
    return `arena${offset < 0n ? '-' : '+'}${hex(offset < 0n ? -offset : offset)}`;
  const name = region.name.replaceAll(' ', '-');
  return offset === region.offset ? name : `${name}+${hex(offset - region.offset)}`;
};

const bytesOfNumber = (value: bigint, width: number): Uint8Array => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
  return bytes.subarray(0, width);
};

const NO_BYTES = new Uint8Array();

/** Bytes; only their count if there are many. */
const digits = (hexadecimal: string): string =>
  bytesText(bytesOfHex(hexadecimal) ?? NO_BYTES, BYTES_IN_LINE) || 'no bytes';

/** A file that has the call, if the number alone decides. */
const fileFor = (command: number): OpenFile | undefined => {
  if (command >= VFIO_GROUP_GET_STATUS && command <= VFIO_GROUP_GET_DEVICE_FD) {
    return { kind: 'group', group: 0, container: undefined };
  }
  return command >= VFIO_DEVICE_BIND_IOMMUFD && command <= VFIO_DEVICE_DETACH_IOMMUFD_PT
    ? { kind: 'device', name: '' }
    : undefined;
};

class ProgramText {
  readonly #names: HandleNames;

  constructor(program: Program) {
    this.#names = handleNamesOf(program);
  }

  value(value: Value, number: (value: bigint) => string = hex): string {
    if (typeof value === 'bigint') return number(value);
    if ('arena' in value) return placeText(value.arena);
    return this.#names.nameOf(value.from, value.out) ?? '0 (a handle of no operation)';
  }

  #field(call: string, field: Field, value: Value): string {
    return this.value(value, (number) =>
      fieldText(call, field, bytesOfNumber(number, field.width)),
    );
  }

  /** Whether a field is redundant: the struct's own size, or the operation that the name has. */
  #idle(layout: Layout, name: string, field: Field, value: Value): boolean {
    if (field.kind === 'size' || field.kind === 'argsz') return value === BigInt(layout.size);
    const operation = TEST_NUMBERS.get(name);
    return operation !== undefined && field.name === 'op' && value === BigInt(operation);
  }

  #words(words: readonly Value[]): string {
    return words.every((word) => word === 0n)
      ? `${count(words.length, 'word')} of 0`
      : `[${words.map((word) => this.value(word)).join(', ')}]`;
  }

  #struct(argument: Extract<Argument, { kind: 'struct' }>): readonly string[] {
    const layout = LAYOUTS.get(argument.layout) ?? IOMMU_TEST_CMD;
    const call = TEST_NUMBERS.has(argument.layout)
      ? `IOMMU_TEST_CMD ${argument.layout}`
      : argument.layout;
    const parts = layout.fields.flatMap((field) => {
      const value = argument.fields[field.name] ?? 0n;
      const isZero = value === 0n && field.kind !== 'size' && field.kind !== 'argsz';
      return isZero || this.#idle(layout, argument.layout, field, value)
        ? []
        : [`${field.name}=${this.#field(call, field, value)}`];
    });
    const { at, length, tail, also } = argument;
    const isUsual = typeof at === 'object' && 'arena' in at && at.arena === 0n;
    return [
      ...parts,
      ...(isUsual ? [] : [`at ${this.value(at)}`]),
      ...(length === undefined ? [] : [`only its first ${count(length, 'byte')}`]),
      ...(tail === undefined ? [] : [`followed by ${digits(tail)}`]),
      ...(also ?? []).map(
        ({ at: place, words }) => `with ${this.#words(words)} at ${this.value(place)}`,
      ),
    ];
  }

  #ioctl(operation: Extract<Operation, { op: 'ioctl' }>): string {
    const { argument, command } = operation;
    const fd = this.value(operation.fd, (number) => `${BigInt.asIntN(32, number)}`);
    const name = shapeOf(fileFor(command), command, new Uint8Array()).name;
    if (argument.kind === 'struct') {
      const shown = TEST_NUMBERS.has(argument.layout) ? argument.layout : name;
      const other = shown === argument.layout ? [] : [`struct of ${argument.layout}`];
      return `${shown}(${[fd, ...other, ...this.#struct(argument)].join(', ')})`;
    }
    if (argument.kind === 'bytes') {
      return `${name}(${fd}, bytes ${digits(argument.hex)} at ${this.value(argument.at)})`;
    }
    const { value } = argument;
    const named = typeof value === 'bigint' && /EXTENSION|SET_IOMMU/.test(name);
    const text = (named ? extensionName(value) : undefined) ?? this.value(value);
    return `${name}(${fd}, ${text})`;
  }

  #call(operation: Operation): string {
    return match(operation)
      .with({ op: 'open' }, ({ path }) => `open("${visible(path)}")`)
      .with({ op: 'close' }, ({ fd }) => `close(${this.value(fd, (number) => `${number}`)})`)
      .with({ op: 'ioctl' }, (ioctl) => this.#ioctl(ioctl))
      .with({ op: 'memfd' }, ({ length }) => `memfd(${lengthText(length)})`)
      .with({ op: 'mmap' }, ({ offset, length, backing, protection, shared }) => {
        const source =
          backing.kind === 'memfd'
            ? `${this.value(backing.fd)} from ${hex(backing.offset)}`
            : backing.kind;
        const target = `${placeText(offset)}, ${lengthText(length)}`;
        return `mmap(${target}, ${protection}, ${shared ? 'shared' : 'private'}, ${source})`;
      })
      .with(
        { op: 'munmap' },
        ({ offset, length }) => `munmap(${placeText(offset)}, ${lengthText(length)})`,
      )
      .with({ op: 'dma' }, ({ fd, direction, iova, length, look }) => {
        const span = `${this.value(iova)}, ${count(length, 'byte')}`;
        const read = look === undefined ? '' : `, reading ${placeText(look)}`;
        return `dma ${direction}(${this.value(fd)}, ${span}${read})`;
      })
      .with({ op: 'status' }, ({ field }) => `status(${field})`)
      .with({ op: 'store' }, ({ offset, hex }) => `store(${placeText(offset)}, ${digits(hex)})`)
      .exhaustive();
  }

  line(operation: Operation): string {
    const given = this.#names.givenBy(operation);
    const call = this.#call(operation);
    return given.length === 0 ? call : `${given.join(', ')} = ${call}`;
  }
}

/** One numbered line for each operation, with its result if known. */
export const programText = (
  program: Program,
  results: readonly string[] = [],
): readonly string[] => {
  const text = new ProgramText(program);
  return columns(
    program.map((operation, index) => {
      const result = results[index];
      const line = text.line(operation);
      return [`${index + 1}`, result === undefined ? line : `${line}  ->  ${result}`];
    }),
    [0],
  );
};
