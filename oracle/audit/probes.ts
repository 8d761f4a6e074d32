// SPDX-License-Identifier: MIT
// The numbers in memory that show a difference besides the result, for reproducers.

import { LAYOUTS } from '../../model/programs/program.ts';
import {
  CAP_DMA_AVAIL_ID,
  CAP_IOVA_RANGE_ID,
  CAP_MIGRATION_ID,
  VFIO_IOMMU_TYPE1_INFO,
} from '../../spec/abi/vfio.ts';
import type { IoctlParts } from '../emit/c-ioctl.ts';
import { type CText, c, cHex } from '../emit/c-text.ts';
import type { Probe } from '../emit/two-sides.ts';
import { UNTOUCHED } from './requests/container.ts';

/** A probe with its value on each side. */
export type ShownProbe = Probe & { readonly type1: bigint; readonly iommufd: bigint };

const numberIn = (bytes: Uint8Array, at: number, width: number): bigint => {
  let number = 0n;
  for (let index = width - 1; index >= 0; index -= 1) {
    number = (number << 8n) | BigInt(bytes[at + index] ?? 0);
  }
  return number;
};

const INFO = VFIO_IOMMU_TYPE1_INFO;
const CAP_OFFSET = 16;
const CAPABILITY_HEADER = 8;

/** The offset of the capability; 0 if there is none. */
const offsetOf = (bytes: Uint8Array, id: number): number => {
  let at = Number(numberIn(bytes, CAP_OFFSET, 4));
  while (at !== 0 && at + CAPABILITY_HEADER <= bytes.length) {
    if (numberIn(bytes, at, 2) === BigInt(id)) return at;
    at = Number(numberIn(bytes, at + 4, 4));
  }
  return 0;
};

/** The address and length of the answer's memory, in C. */
const memory = (parts: IoctlParts | undefined): CText | undefined => {
  const memory = parts?.memory[0];
  if (memory === undefined) return undefined;
  const address = memory.pointer.startsWith('&') ? memory.pointer : c`(void *)(${memory.pointer})`;
  return c`${address}, ${memory.length}`;
};

/** The number at `at`, of `width` bytes, in the capability; the capability's offset if the width is 0. */
const reported = (
  text: string,
  [id, at, width]: readonly [id: number, at: number, width: number],
  type1: Uint8Array,
  iommufd: Uint8Array,
): ShownProbe => {
  const value = (bytes: Uint8Array): bigint => {
    const offset = offsetOf(bytes, id);
    if (offset === 0 || width === 0) return BigInt(offset);
    return numberIn(bytes, offset + at, width);
  };
  return {
    text,
    read: (parts) => {
      const range = memory(parts);
      return range === undefined
        ? undefined
        : c`capability_field(${range}, ${id}, ${at}, ${width})`;
    },
    type1: value(type1),
    iommufd: value(iommufd),
  };
};

const CAPABILITIES: readonly (readonly [string, number])[] = [
  ['MIGRATION', CAP_MIGRATION_ID],
  ['IOVA_RANGE', CAP_IOVA_RANGE_ID],
  ['DMA_AVAIL', CAP_DMA_AVAIL_ID],
];

const capabilityProbes = (
  what: string,
  type1: Uint8Array,
  iommufd: Uint8Array,
): readonly ShownProbe[] => {
  const probe = (text: string, ...field: readonly [number, number, number]): ShownProbe =>
    reported(text, field, type1, iommufd);
  if (what === 'capability DMA_AVAIL: what it reports') {
    return [probe('avail', CAP_DMA_AVAIL_ID, CAPABILITY_HEADER, 4)];
  }
  if (what === 'capability DMA_AVAIL: padding') {
    return [probe('the padding after avail', CAP_DMA_AVAIL_ID, CAPABILITY_HEADER + 4, 4)];
  }
  if (what === 'capability IOVA_RANGE: what it reports') {
    return [
      probe('nr_iovas', CAP_IOVA_RANGE_ID, CAPABILITY_HEADER, 4),
      probe('iova_ranges[0].start', CAP_IOVA_RANGE_ID, CAPABILITY_HEADER + 8, 8),
      probe('iova_ranges[0].end', CAP_IOVA_RANGE_ID, CAPABILITY_HEADER + 16, 8),
    ];
  }
  return CAPABILITIES.filter(([name]) => what === `capability ${name}`).map(([name, id]) =>
    probe(`the offset of the capability ${name}`, id, 0, 0),
  );
};

const othersIn = (bytes: Uint8Array): bigint =>
  BigInt(bytes.subarray(INFO.size).filter((byte) => byte !== UNTOUCHED).length);

const strayProbe = (type1: Uint8Array, iommufd: Uint8Array): ShownProbe => ({
  text: 'bytes written after the struct',
  read: (parts) => {
    const memory = parts?.memory[0];
    if (memory === undefined) return undefined;
    const start = memory.pointer.startsWith('&')
      ? c`(char *)${memory.pointer}`
      : c`(char *)(${memory.pointer})`;
    return c`others(${start} + ${INFO.size}, ${memory.length - INFO.size}, ${cHex(UNTOUCHED)})`;
  },
  type1: othersIn(type1),
  iommufd: othersIn(iommufd),
});

const firstProbe = (type1: Uint8Array, iommufd: Uint8Array): ShownProbe => ({
  text: 'the id of the capability after the struct',
  read: (parts) => {
    const pointer = parts?.memory[0]?.pointer;
    if (pointer === undefined) return undefined;
    const start = pointer.startsWith('&') ? c`(char *)${pointer}` : c`(char *)(${pointer})`;
    return c`*(__u16 *)(${start} + ${INFO.size})`;
  },
  type1: numberIn(type1, INFO.size, 2),
  iommufd: numberIn(iommufd, INFO.size, 2),
});

/** The probes that show a difference of that kind. `type1` and `iommufd` are the struct's memory after the call. */
export const probesOf = (
  what: string,
  layout: string,
  type1: Uint8Array,
  iommufd: Uint8Array,
): readonly ShownProbe[] => {
  if (what === 'capability written before the fault') return [firstProbe(type1, iommufd)];
  if (what.startsWith('capability')) return capabilityProbes(what, type1, iommufd);
  if (what === 'bytes behind the struct without a chain') return [strayProbe(type1, iommufd)];
  const field = LAYOUTS.get(layout)?.fields.find(({ name }) => name === what);
  if (field === undefined) return [];
  return [
    {
      text: what,
      read: (parts) => parts?.read(what),
      type1: numberIn(type1, field.offset, field.width),
      iommufd: numberIn(iommufd, field.offset, field.width),
    },
  ];
};
