// SPDX-License-Identifier: MIT
// The same program with simpler calls: native calls instead of VFIO's maps and unmaps, memory
// instead of files, and the arena's data region instead of memory that the program maps.

import {
  IOMMU_IOAS_MAP,
  IOMMU_IOAS_UNMAP,
  MAP_FIXED_IOVA,
  MAP_READABLE,
  MAP_WRITEABLE,
  NATIVE_CALLS,
  type NativeCallName,
  VFIO_IOAS_SET,
} from '../../spec/abi/native.ts';
import { U64_MAX } from '../../spec/abi/units.ts';
import {
  VFIO_DMA_MAP_FLAG_READ,
  VFIO_DMA_MAP_FLAG_WRITE,
  VFIO_DMA_UNMAP_FLAG_ALL,
} from '../../spec/abi/vfio.ts';
import { DATA_LENGTH, DATA_OFFSET } from '../programs/arena.ts';
import { LAYOUTS, type Operation, type Program, type Value } from '../programs/program.ts';

const UNMAP_ALL = BigInt(VFIO_DMA_UNMAP_FLAG_ALL);
const SET = BigInt(VFIO_IOAS_SET);

type Fields = Readonly<Record<string, Value>>;

const commandOf = (name: NativeCallName): number => {
  const call = NATIVE_CALLS.find((candidate) => candidate.name === name);
  if (call === undefined) throw new Error(`There is no native call ${name}.`);
  return call.command;
};

/** Every map of VFIO has a fixed IOVA. */
const nativeFlags = (flags: Value | undefined): bigint => {
  const given = typeof flags === 'bigint' ? Number(BigInt.asUintN(32, flags)) : 0;
  const readable = (given & VFIO_DMA_MAP_FLAG_READ) === 0 ? 0 : MAP_READABLE;
  const writable = (given & VFIO_DMA_MAP_FLAG_WRITE) === 0 ? 0 : MAP_WRITEABLE;
  return BigInt(MAP_FIXED_IOVA | readable | writable);
};

const nativeMap = (ioas: Value, { flags, vaddr, iova, size }: Fields): Fields => ({
  size: BigInt(IOMMU_IOAS_MAP.size),
  flags: nativeFlags(flags),
  ioas_id: ioas,
  user_va: vaddr ?? 0n,
  length: size ?? 0n,
  iova: iova ?? 0n,
});

const nativeUnmap = (ioas: Value, { flags, iova, size }: Fields): Fields => ({
  size: BigInt(IOMMU_IOAS_UNMAP.size),
  ioas_id: ioas,
  iova: flags === UNMAP_ALL ? 0n : (iova ?? 0n),
  length: flags === UNMAP_ALL ? U64_MAX : (size ?? 0n),
});

const nativeOperation = (operation: Operation, ioas: Value): Operation => {
  if (operation.op !== 'ioctl' || operation.argument.kind !== 'struct') return operation;
  const { argument } = operation;
  const become = (layout: 'IOMMU_IOAS_MAP' | 'IOMMU_IOAS_UNMAP', fields: Fields): Operation => ({
    ...operation,
    command: commandOf(layout),
    argument: { kind: 'struct', at: argument.at, layout, fields },
  });
  switch (argument.layout) {
    case 'VFIO_IOMMU_MAP_DMA':
      return become('IOMMU_IOAS_MAP', nativeMap(ioas, argument.fields));
    case 'VFIO_IOMMU_UNMAP_DMA':
      return become('IOMMU_IOAS_UNMAP', nativeUnmap(ioas, argument.fields));
    default:
      return operation;
  }
};

/** Undefined if the program sets no compatibility IOAS. */
export const nativeProgram = (program: Program): Program | undefined => {
  for (const [index, operation] of program.entries()) {
    if (operation.op !== 'ioctl' || operation.argument.kind !== 'struct') continue;
    const { layout, fields } = operation.argument;
    if (layout !== 'IOMMU_VFIO_IOAS' || fields.op !== SET || fields.ioas_id === undefined) continue;
    const ioas = fields.ioas_id;
    return program.toSpliced(index, 1).map((other) => nativeOperation(other, ioas));
  }
  return undefined;
};

const mappedFile = (operation: Operation): Value | undefined =>
  operation.op === 'ioctl' &&
  operation.argument.kind === 'struct' &&
  operation.argument.layout === 'IOMMU_IOAS_MAP_FILE'
    ? operation.argument.fields.fd
    : undefined;

const memoryInstead = (operation: Operation): Operation => {
  if (operation.op !== 'ioctl' || operation.argument.kind !== 'struct') return operation;
  const {
    at,
    fields: { fd: _fd, start: _start, ...kept },
  } = operation.argument;
  return {
    ...operation,
    command: commandOf('IOMMU_IOAS_MAP'),
    argument: {
      kind: 'struct',
      at,
      layout: 'IOMMU_IOAS_MAP',
      fields: { ...kept, user_va: { arena: DATA_OFFSET } },
    },
  };
};

/** Maps memory instead of a file, and does not make the file. Undefined if no file is mapped. */
export const withoutFile = (program: Program): Program | undefined => {
  const file = program.map(mappedFile).find((value) => typeof value === 'object');
  if (file === undefined || typeof file === 'bigint' || !('from' in file)) return undefined;
  return program
    .filter(({ op, label }) => op !== 'memfd' || label !== file.from)
    .map((operation) => {
      const mapped = mappedFile(operation);
      return typeof mapped === 'object' && 'from' in mapped && mapped.from === file.from
        ? memoryInstead(operation)
        : operation;
    });
};

/** IOVAs that are tried for a map that leaves the choice to the kernel. */
const MOST_FIXED = 3;

const isChosen = (operation: Operation): boolean => {
  if (operation.op !== 'ioctl' || operation.argument.kind !== 'struct') return false;
  const { layout, fields } = operation.argument;
  return (
    layout === 'IOMMU_IOAS_MAP' &&
    typeof fields.flags === 'bigint' &&
    (fields.flags & BigInt(MAP_FIXED_IOVA)) === 0n
  );
};

const fixedAt = (operation: Operation, iova: bigint): Operation => {
  if (operation.op !== 'ioctl' || operation.argument.kind !== 'struct') return operation;
  const { argument } = operation;
  const flags = BigInt.asUintN(32, argument.fields.flags as bigint) | BigInt(MAP_FIXED_IOVA);
  return { ...operation, argument: { ...argument, fields: { ...argument.fields, flags, iova } } };
};

/**
 * A map whose IOVA the kernel chooses depends on everything before it. With the IOVA of a later
 * call it does not, and more can be removed.
 */
export function* fixedMaps(program: Program): Generator<Program> {
  for (const [index, operation] of program.entries()) {
    if (!isChosen(operation)) continue;
    const later = new Set<bigint>();
    for (const other of program.slice(index + 1)) {
      if (other.op !== 'ioctl' || other.argument.kind !== 'struct') continue;
      const { iova } = other.argument.fields;
      if (typeof iova === 'bigint') later.add(iova);
    }
    for (const iova of [...later].slice(0, MOST_FIXED)) {
      yield program.with(index, fixedAt(operation, iova));
    }
  }
}

type OwnMemory = Extract<Operation, { op: 'mmap' }>;

/** The same offset in the data region, for a value in memory that the program maps. */
const inData = (value: Value, own: readonly OwnMemory[]): Value => {
  if (typeof value === 'bigint' || !('arena' in value)) return value;
  for (const { offset, length } of own) {
    const within = value.arena - offset;
    if (within >= 0n && within < length) return { arena: DATA_OFFSET + (within % DATA_LENGTH) };
  }
  return value;
};

/** Undefined if the program maps no memory. */
export const withoutOwnMemory = (program: Program): Program | undefined => {
  const own = program.filter((operation): operation is OwnMemory => operation.op === 'mmap');
  if (own.length === 0) return undefined;
  return program
    .filter(({ op }) => op !== 'mmap')
    .map((operation) => {
      if (operation.op !== 'ioctl' || operation.argument.kind !== 'struct') return operation;
      const fields = Object.fromEntries(
        Object.entries(operation.argument.fields).map(([name, value]) => [
          name,
          inData(value, own),
        ]),
      );
      return { ...operation, argument: { ...operation.argument, fields } };
    });
};

/** Longer programs are first made shorter by other steps. */
const SHORT = 16;
/** How many objects a call makes at most. */
const MOST_OBJECTS = 3n;

/** The operation with literal object ids (not handles) reduced by so much. */
const namedEarlier = (operation: Operation, less: bigint): Operation => {
  if (operation.op !== 'ioctl' || operation.argument.kind !== 'struct') return operation;
  const { argument } = operation;
  const ids = (LAYOUTS.get(argument.layout)?.fields ?? []).filter(({ kind }) => kind === 'id');
  const lowered = ids.flatMap(({ name }) => {
    const value = argument.fields[name];
    return typeof value === 'bigint' && value >= less ? [[name, value - less] as const] : [];
  });
  return lowered.length === 0
    ? operation
    : {
        ...operation,
        argument: { ...argument, fields: { ...argument.fields, ...Object.fromEntries(lowered) } },
      };
};

/**
 * Without one operation, and with the literal ids after it adjusted: the removed operation took
 * some.
 */
export function* withoutAndNumbered(program: Program): Generator<Program> {
  if (program.length > SHORT) return;
  for (let at = program.length - 2; at >= 0; at -= 1) {
    for (let less = 1n; less <= MOST_OBJECTS; less += 1n) {
      const rest = program.slice(at + 1);
      const numbered = rest.map((operation) => namedEarlier(operation, less));
      if (numbered.every((operation, index) => operation === rest[index])) break;
      yield [...program.slice(0, at), ...numbered];
    }
  }
}
