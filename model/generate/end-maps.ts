// SPDX-License-Identifier: MIT
// Maps that end at U64_MAX; programs avoid those after which replies could not be judged.

import { PAGE_SIZE_BYTES, U64_MAX } from '../../spec/abi/units.ts';
import type { Platform } from '../../spec/terms/platform.ts';
import type { ProgramBuilder } from '../programs/builder.ts';
import type { Operation, Value } from '../programs/program.ts';

/** For each struct that maps: its fields for the IOVA and the length. */
const MAPS: Readonly<Record<string, readonly [string, string]>> = {
  IOMMU_IOAS_MAP: ['iova', 'length'],
  IOMMU_IOAS_MAP_FILE: ['iova', 'length'],
  IOMMU_IOAS_COPY: ['dst_iova', 'length'],
  VFIO_IOMMU_MAP_DMA: ['iova', 'size'],
};

type Fields = Readonly<Record<string, Value>>;

/** The length in bytes, if the map ends at U64_MAX; else undefined, also for other structs. */
const lengthToTheEnd = (
  builder: ProgramBuilder,
  layout: string,
  fields: Fields,
): bigint | undefined => {
  const [iovaField, lengthField] = MAPS[layout] ?? [];
  if (iovaField === undefined || lengthField === undefined) return undefined;
  const length = builder.valueOf(fields[lengthField] ?? 0n);
  return builder.valueOf(fields[iovaField] ?? 0n) + length === U64_MAX + 1n ? length : undefined;
};

/** Whether 6.12's type1 would not find the map again. */
export const isLostMap = (builder: ProgramBuilder, layout: string, fields: Fields): boolean =>
  layout === 'VFIO_IOMMU_MAP_DMA' &&
  builder.world.release.type1.findDmaWraps &&
  lengthToTheEnd(builder, layout, fields) !== undefined;

/** Domains that can translate every IOVA. */
const reachesTheEnd = ({ iommus, devices }: Platform): boolean =>
  iommus.some(({ aperture }) => aperture.last === U64_MAX) ||
  devices.some(({ iommu }) => iommu === 'noiommu');

/**
 * Whether the map may be in a domain that translates so far: the accesses of devices are not
 * compared there.
 */
export const isFarMap = (builder: ProgramBuilder, operation: Operation): boolean => {
  if (operation.op !== 'ioctl' || operation.argument.kind !== 'struct') return false;
  const { layout, fields } = operation.argument;
  const length = lengthToTheEnd(builder, layout, fields);
  return (
    length !== undefined &&
    length > PAGE_SIZE_BYTES &&
    reachesTheEnd(builder.world.setting.platform)
  );
};
