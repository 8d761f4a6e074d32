// SPDX-License-Identifier: MIT
// Names of a program's handles, so that it reads like code: ioas1, hwpt2, access1.

import { match, P } from 'ts-pattern';
import { mayGive } from '../../model/programs/dangling.ts';
import type { Argument, Operation, Program, Value } from '../../model/programs/program.ts';
import { VFIO_CONTAINER_PATH, VFIO_GROUP_GET_DEVICE_FD } from '../../spec/abi/vfio.ts';

/** By struct: the fields that the kernel writes, with the base of their names. */
const OUTPUTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  IOMMU_IOAS_ALLOC: { out_ioas_id: 'ioas' },
  IOMMU_HWPT_ALLOC: { out_hwpt_id: 'hwpt' },
  IOMMU_FAULT_QUEUE_ALLOC: { out_fault_id: 'fault', out_fault_fd: 'faultfd' },
  IOMMU_VIOMMU_ALLOC: { out_viommu_id: 'viommu' },
  IOMMU_VDEVICE_ALLOC: { out_vdevice_id: 'vdevice' },
  MOCK_DOMAIN: { out_stdev_id: 'stdev', out_hwpt_id: 'hwpt', out_idev_id: 'device' },
  MOCK_DOMAIN_FLAGS: { out_stdev_id: 'stdev', out_hwpt_id: 'hwpt', out_idev_id: 'device' },
  VFIO_DEVICE_BIND_IOMMUFD: { out_devid: 'device' },
  CREATE_ACCESS: { out_access_fd: 'access' },
  ACCESS_PAGES: { out_access_pages_id: 'pin' },
};

/** Fields that have a name only if a later operation refers to them; others use their own name. */
const ON_REFERENCE: Readonly<Record<string, string>> = {
  ioas_id: 'ioas',
  pt_id: 'hwpt',
  dst_iova: 'iova',
};

const nameOfField = (out: string): string => ON_REFERENCE[out] ?? out.replace(/^out_/, '');

export type HandleNames = {
  /** The name of an operation's output; undefined if it has none. */
  readonly nameOf: (from: string, out: string) => string | undefined;
  /** The names of an operation's outputs, in their order. */
  readonly givenBy: (operation: Operation) => readonly string[];
};

const valuesIn = (argument: Argument): readonly Value[] =>
  match(argument)
    .with({ kind: 'plain' }, ({ value }) => [value])
    .with({ kind: 'bytes' }, ({ at }) => [at])
    .with({ kind: 'struct' }, (struct) => [
      struct.at,
      ...Object.values(struct.fields),
      ...(struct.also ?? []).flatMap(({ at, words }) => [at, ...words]),
    ])
    .exhaustive();

/** Every value of an operation that may be a handle. */
export const valuesOf = (operation: Operation): readonly Value[] =>
  match(operation)
    .with({ op: 'close' }, ({ fd }) => [fd])
    .with({ op: 'ioctl' }, ({ fd, argument }) => [fd, ...valuesIn(argument)])
    .with({ op: 'dma' }, ({ fd, iova }) => [fd, iova])
    .with({ op: 'mmap' }, ({ backing }) => (backing.kind === 'memfd' ? [backing.fd] : []))
    .with({ op: P.union('open', 'memfd', 'munmap', 'status', 'store') }, () => [])
    .exhaustive();

const resultName = (operation: Operation): string | undefined => {
  if (operation.op === 'memfd') return 'memfd';
  if (operation.op === 'open') {
    if (operation.path === '/dev/iommu') return 'iommufd';
    if (operation.path === VFIO_CONTAINER_PATH) return 'container';
    return operation.path.includes('/devices/') ? 'devicefd' : 'group';
  }
  return operation.op === 'ioctl' && operation.command === VFIO_GROUP_GET_DEVICE_FD
    ? 'devicefd'
    : undefined;
};

const outputsOf = (operation: Operation): Readonly<Record<string, string>> =>
  operation.op === 'ioctl' && operation.argument.kind === 'struct'
    ? (OUTPUTS[operation.argument.layout] ?? {})
    : {};

const keyOf = (from: string, out: string): string => `${from} ${out}`;

export const handleNamesOf = (program: Program): HandleNames => {
  /** By operation: the outputs that others refer to. */
  const referred = new Map<string, Set<string>>();
  for (const operation of program) {
    for (const value of valuesOf(operation)) {
      if (typeof value !== 'object' || !('from' in value)) continue;
      const outs = referred.get(value.from) ?? new Set();
      referred.set(value.from, outs.add(value.out));
    }
  }
  const names = new Map<string, string>();
  const given = new Map<Operation, readonly string[]>();
  const counts = new Map<string, number>();
  for (const operation of program) {
    const { label } = operation;
    const own: string[] = [];
    const give = (out: string, base: string): void => {
      const number = (counts.get(base) ?? 0) + 1;
      counts.set(base, number);
      names.set(keyOf(label, out), `${base}${number}`);
      own.push(`${base}${number}`);
    };
    const result = resultName(operation);
    if (result !== undefined) give('result', result);
    const outputs = outputsOf(operation);
    for (const [out, base] of Object.entries(outputs)) give(out, base);
    for (const out of referred.get(label) ?? []) {
      if (names.has(keyOf(label, out)) || !mayGive(operation, out)) continue;
      give(out, out === 'result' ? 'result' : nameOfField(out));
    }
    given.set(operation, own);
  }
  return {
    nameOf: (from, out) => names.get(keyOf(from, out)),
    givenBy: (operation) => given.get(operation) ?? [],
  };
};
